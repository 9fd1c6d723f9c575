"""Long proofs. A test that can repeat something any number of times has a size. In the suite the size is
small. In a long proof it is $DOCKET_PROOF_N, which for example `make proof-kills N=50` sets. The assertions
are the same."""
import os
import random

import pytest

KILLS = pytest.mark.proof_kills  # the size is the kills or restarts of each test
SOAK = pytest.mark.proof_soak    # the seconds of load
LISTS = pytest.mark.proof_lists  # the seeds of random queries
RESTARTS = pytest.mark.proof_restarts  # the restarts under load
OVERLOAD = pytest.mark.proof_overload  # the seconds of random overload
ALERTS = pytest.mark.proof_alerts  # the alerts that two processes send
REPLICA = pytest.mark.proof_replica  # the kills, or the restores
PROPERTIES = pytest.mark.proof_properties  # the requests that are drawn from the OpenAPI document
TESTSSL = pytest.mark.proof_testssl  # the kinds of certificates; 0 in the suite
BACKUPS = pytest.mark.proof_backups  # the backups under full write load

MARKERS = [f"proof_{name}: a long proof that make proof-{name} runs"
           for name in ("kills", "soak", "lists", "restarts", "overload", "alerts", "properties", "backups",
                        "replica", "testssl")]


def size(short):
    return int(os.environ.get("DOCKET_PROOF_N", short))


def seed():
    """For random choices: $DOCKET_PROOF_SEED, else a new one. A test prints it."""
    return int(os.environ.get("DOCKET_PROOF_SEED", random.SystemRandom().randrange(10 ** 9)))
