"""The machine of the primary dies under load, several times, and its synchronous standby takes
over: every task with a 201 is stored once, and docket finds the new primary without a restart."""
import random
import statistics
import time

import postgres
import proofs
from deployment import Deployment
from load import Load

pytestmark = postgres.NEEDED

ROUNDS = proofs.size(2)
# From the command to promote to the first acknowledged write: a bound on waiting, not a speed.
AGAIN_S = 30
WRITERS, PROCESSES = 16, 2
ACCOUNTS = ("first", "second", "third", "fourth")
NAME = "other"


def check_sealed(primary, stored):
    """The standby has acknowledged every commit: it is synchronous."""
    state = primary.main.run("SELECT sync_state, state FROM pg_stat_replication")
    assert state == [("sync", "streaming")] and stored > 0


@proofs.KILLS
def test_rounds(tmp_path):
    took = []
    with postgres.private() as primary, primary.standby(NAME) as standby, \
            Deployment(primary.create("docket"), tmp_path, ACCOUNTS) as deployment:
        primary.wait_for_standby(NAME)
        both = deployment.url.replace(f":{primary.port}/", f":{primary.port},127.0.0.1:{standby.port}/")
        assert both != deployment.url
        for _ in range(PROCESSES):
            deployment.serve(url=both)
        with Load(deployment, deployment.servers, ACCOUNTS, WRITERS, "round",
                  refusals=True) as load:
            for number in range(ROUNDS):
                load.wait_for(100)
                check_sealed(primary, len(load.created))
                time.sleep(random.uniform(0, 0.5))
                primary.kill()
                known = dict(load.created)
                began = time.monotonic()
                standby.promote()
                took.append(load.first_after(began))
                primary, standby = standby, primary
                deployment.database.cluster = primary
                stored = deployment.titles()
                lost = [key for key, title in known.items() if stored.get(key) != title]
                print(f"round {number + 1}: {len(known)} acknowledged, {len(lost)} lost; writes"
                      f" again {took[-1]:.3f} s after the promotion began")
                assert not lost, f"acknowledged and lost: {lost[:5]}"
                assert took[-1] < AGAIN_S
                primary.standby(NAME, standby)
                primary.wait_for_standby(NAME)
        left = load.check()
        print(f"{ROUNDS} rounds: {len(load.created)} answered 201, each there once;"
              f" {sum(load.refused.values())} answered 503, {left} of them stored; writes again"
              f" after {statistics.median(took):.3f} s, at most {max(took):.3f} s")
        assert not load.unanswered, load.unanswered[:3]
        deployment.check_sound()
