"""docket restore of an earlier moment from a replica: gaps between generations, and the ids that were given
out after the moment."""
import datetime
import json
import time

import pytest

from backends import opened, rows
from commands import fails
from harness import run, succeed
from replicas import follows, generations, restore, tables

FAR = 10 ** 12  # an id that no other jump reaches


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "replica"
    folder.mkdir()
    return folder


@pytest.fixture
def replicated(make_server, target):
    server = make_server(options=["--replicate-to", target])
    follows(server, 1)
    server.create(title="kept")
    return server


def moment():
    """A second in which nothing happens after this."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    return now


def last_change(server):
    return server.call("GET", "/api/v1/changes?since=0").json["last"]


def last_ids(folder):
    return rows(folder, "SELECT last_staff_id, last_calendar_id, last_case_service_id, last_casefile_id,"
                        " last_subject_id, last_task_id FROM account_state")[0]


@pytest.fixture
def gap(replicated, make_server, target):
    """A replica that does not know what was stored between two generations. Returns the state before them,
    a moment and the change between them."""
    follows(replicated)
    replicated.stop()
    before, wanted = tables(replicated.data), moment()
    other = make_server(replicated.data)
    other.create(title="unseen")
    change = last_change(other)
    other.create(title="unseen too")
    other.stop()
    time.sleep(1.1)
    replicated.start()
    follows(replicated, 2)
    replicated.create(title="later")
    replicated.stop()
    assert len(generations(target)) == 2
    return before, wanted, change


def test_a_time_in_a_gap(gap, replicated, target, tmp_path):
    before, wanted, _ = gap
    asked = ["restore", "--from", target, "--data", tmp_path / "new", "--at", wanted]
    told = "the replica has no state between "
    dry = run(*asked, "--dry-run", "--json")
    assert dry.returncode == 1 and json.loads(dry.stdout)["replica"]["gap_end"] > wanted, dry
    done = run(*asked)
    assert done.returncode == 1 and told in done.stderr and ": this is the one of " in done.stderr, done
    assert tables(tmp_path / "new") == before
    # Neither the end nor a later moment is in the gap.
    for name, options in (("end", []), ("now", ["--at", moment()])):
        assert told not in restore(target, tmp_path / name, *options).stderr
        assert tables(tmp_path / name) == tables(replicated.data)


def test_a_change_in_a_gap(gap, target, tmp_path):
    before, _, change = gap
    refused = fails("restore", "--from", target, "--data", tmp_path / "new", "--change", f"main:{change}")
    assert f'the last change of the account "main" in the replica before a gap is {change - 1}' in refused
    assert "Generation 2 begins behind the gap" in refused
    restore(target, tmp_path / "new", "--change", f"main:{change - 1}")
    assert tables(tmp_path / "new") == before


def test_no_gap_between_generations_that_continue(replicated, target, tmp_path):
    """A moment at which the process did not run, and nothing was stored."""
    follows(replicated)
    replicated.stop()
    state, wanted = tables(replicated.data), moment()
    replicated.start()
    replicated.create(title="later")
    replicated.stop()
    restore(target, tmp_path / "new", "--at", wanted)
    assert tables(tmp_path / "new") == state


def ids_go_far(folder):
    with opened(folder) as database:
        database.execute("UPDATE account_state SET last_task_id = ?", (FAR,))


@pytest.mark.parametrize("generation", [1, 2])
def test_no_id_of_a_later_commit_is_given_out_again(replicated, make_server, target, tmp_path, generation):
    """Neither one of the same generation nor one of a newer one."""
    follows(replicated)
    wanted = moment()
    replicated.create(title="lost")
    replicated.stop()
    ids_go_far(replicated.data)
    if generation == 2:
        succeed("token", "add", "more", "--data", replicated.data)
    replicated.start()
    follows(replicated, generation)
    lost = replicated.create(title="lost too")["id"]
    assert lost == FAR + 1
    follows(replicated)
    replicated.stop()
    restore(target, tmp_path / "new", "--at", wanted)
    restored = make_server(tmp_path / "new")
    assert FAR + 1 < restored.create(title="new")["id"] < 2 ** 53


def test_no_id_of_a_gap_is_given_out_again(gap, replicated, target, tmp_path):
    """Nobody knows which ids it has. But it has two changes, and each gave out an id at most. The rest of
    the jump depends on the time."""
    _, wanted, _ = gap
    assert run("restore", "--from", target, "--data", tmp_path / "new", "--at", wanted).returncode == 1
    for before, after in zip(last_ids(replicated.data)[:-1], last_ids(tmp_path / "new")[:-1]):
        assert after > before + 1_000_000 and (after - before) % 50_000 == 2
