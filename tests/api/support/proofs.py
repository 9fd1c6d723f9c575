"""Long proofs. A test that repeats something as often as it likes has a size: short in the suite, and
$DOCKET_PROOF_N where that is set, as by `make proof-kills N=50`. What it asserts is the same."""
import os

import pytest

KILLS = pytest.mark.proof_kills  # the size is the kills or restarts of each test
SOAK = pytest.mark.proof_soak    # the seconds of load
LISTS = pytest.mark.proof_lists  # the seeds of random queries
RESTARTS = pytest.mark.proof_restarts  # the restarts under load

MARKERS = [f"proof_{name}: a long proof that make proof-{name} runs"
           for name in ("kills", "soak", "lists", "restarts")]


def size(short):
    return int(os.environ.get("DOCKET_PROOF_N", short))
