"""A restore begins a new era: what clients know of the former one is not taken for the present."""
import json

import pytest

import backends
from backends import rows, where
from clocks import behind
from commands import fails
from harness import JSON, TASKS, problem, succeed, task
from lists import links
from together import until

pytestmark = backends.BOTH

ID_JUMP = 1_000_000


def begin_era(server, tmp_path):
    """Ends the server, and restores its database."""
    server.stop()
    if isinstance(server.data, backends.Database):
        succeed("restore", *where(server.data))
        return
    succeed("backup", "--data", server.data, "--to", tmp_path / "b.db")
    (server.data / "docket.db").unlink()
    succeed("restore", "--from", tmp_path / "b.db", "--data", server.data)
    (tmp_path / "b.db").unlink()


def end_connections(database):
    """Ends them, and lets nobody connect again."""
    database.cluster.main.run(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS false')
    database.cluster.main.run("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                              f" WHERE datname = '{database.name}'")


def replace(database, other):
    database.drop()
    other.rename(database.name)


def changes(server, since):
    return server.call("GET", f"/api/v1/changes?since={since}")


def learn(server):
    """What a client knows."""
    made = server.post(task(title="kept"))
    server.create(title="another")
    page = server.call("GET", f"{TASKS}?per_page=1")
    return {"record": made.json, "tag": made.header("ETag"), "next": links(page)["next"],
            "last": changes(server, 0).json["last"]}


@pytest.fixture
def known(make_server, tmp_path):
    """A restored server, and what a client knows of it from before."""
    server = make_server()
    before = learn(server)
    begin_era(server, tmp_path)
    server.start()
    return server, before


def test_before_the_first_restore_nothing_has_an_era(make_server):
    server = make_server()
    made = server.post(task())
    last = changes(server, 0).json
    assert last["last"] == last["changes"][-1]["change"]
    assert made.header("ETag") == f'"1-{last["last"]}"'
    problem(changes(server, 10 ** 12), 400, ["since"])


def test_tags(known):
    server, before = known
    path = f'{TASKS}/{before["record"]["id"]}'
    again = server.call("GET", path, headers={"If-None-Match": before["tag"]})
    assert again.status == 200 and again.json == before["record"]
    assert again.header("ETag") != before["tag"]
    change = json.dumps({"task": {"title": "changed"}})
    answer = problem(server.call("PATCH", path, change, headers={**JSON, "If-Match": before["tag"]}), 412)
    assert answer["code"] == "precondition_failed"
    for tag in (again.header("ETag"), f'W/{again.header("ETag")}'):
        assert server.call("GET", path, headers={"If-None-Match": tag}).status == 304
    changed = server.call("PATCH", path, change, headers={**JSON, "If-Match": again.header("ETag")})
    assert changed.status == 200


def test_cursors(known):
    server, before = known
    problem(server.call("GET", before["next"]), 400, ["after"])
    page = server.call("GET", f"{TASKS}?per_page=1")
    assert server.call("GET", links(page)["next"]).status == 200


def test_changes(known):
    """A mirror starts again, once, and then goes on."""
    server, before = known
    for since in (before["last"], 1, before["last"] + 10 ** 12):
        answer = problem(changes(server, since), 410)
        assert answer["code"] == "database_restored" and "start again with 0" in answer["detail"]
    answer = changes(server, 0).json
    assert answer["changes"][-1]["change"] == before["last"] < answer["last"] < 2 ** 53
    assert changes(server, answer["last"]).json == {"changes": [], "last": answer["last"]}
    server.create(title="later")
    later = changes(server, answer["last"]).json
    assert [change["change"] for change in later["changes"]] == [before["last"] + 1]
    assert later["last"] == answer["last"] + 1
    problem(changes(server, later["last"] + 1), 400, ["since"])


def test_ids_jump(known):
    server, before = known
    made = server.create(title="new")
    assert made["id"] > before["record"]["id"] + ID_JUMP
    assert server.call("GET", f"{TASKS}?title=new").json == [made]
    server.stop()
    assert succeed("check", *where(server.data)).stdout.endswith("\nsound\n")


def test_each_restore_is_another_era(known, tmp_path):
    server, before = known
    last, made = changes(server, 0).json["last"], server.create()
    begin_era(server, tmp_path)
    server.start()
    for since in (before["last"], last):
        problem(changes(server, since), 410)
    assert server.create()["id"] > made["id"] + ID_JUMP


@backends.SQLITE
def test_ids_jump_for_each_second_since_the_backup(one, tmp_path):
    """Docket does not know how many records were made in that time. It makes up to 37,000 a second."""
    last = "SELECT last_task_id FROM account_state"
    (before, ), = rows(one, last)
    succeed("backup", "--data", one, "--to", tmp_path / "b.db")
    succeed("restore", "--from", tmp_path / "b.db", "--data", tmp_path / "new",
            env={**behind(0), "FAKETIME": "+10d"})
    (after, ), = rows(tmp_path / "new", last)
    assert ID_JUMP + 10 * 86_400 * 37_000 < after - before < ID_JUMP + 11 * 86_400 * 50_000


@backends.SQLITE
def test_ids_stay_below_the_end_of_the_text_index(make_server, tmp_path):
    """It has 40 bits for the id of a task. A jump that would go beyond takes half of what is left."""
    server = make_server()
    server.stop()
    last, end = "SELECT last_task_id FROM account_state", 1 << 40
    ids = [rows(server.data, last)[0][0]]
    for number in range(7):
        succeed("backup", "--data", server.data, "--to", tmp_path / "b.db")
        (server.data / "docket.db").unlink()
        succeed("restore", "--from", tmp_path / "b.db", "--data", server.data,
                env={**behind(0), "FAKETIME": "+1500d"})
        (tmp_path / "b.db").unlink()
        ids.append(rows(server.data, last)[0][0])
    jumps = [after - before for before, after in zip(ids, ids[1:])]
    assert jumps == [198_001_000_000] * 5 + [(end - ids[5]) // 2, (end - ids[6]) // 2]
    server.start()
    made = server.create(title="far away")
    assert made["id"] == ids[-1] + 1 < end
    assert server.call("GET", f"{TASKS}?title=far%20away").json == [made]


@backends.SQLITE
def test_ids_of_accounts_jump(one, tmp_path):
    last = "SELECT last FROM given WHERE name = 'account'"
    (before, ), = rows(one, last)
    succeed("backup", "--data", one, "--to", tmp_path / "b.db")
    succeed("restore", "--from", tmp_path / "b.db", "--data", tmp_path / "new")
    assert rows(tmp_path / "new", last) == [(before + 1000, )]
    succeed("account", "add", "later", "--data", tmp_path / "new")
    assert rows(tmp_path / "new", "SELECT max(id) FROM account") == [(before + 1001, )]


def ask_tag(server, before):
    path = f'{TASKS}/{before["record"]["id"]}'
    return server.call("GET", path, headers={"If-None-Match": before["tag"]}).status


def ask_changes(server, before):
    return changes(server, before["last"]).status


@backends.POSTGRES
@pytest.mark.parametrize("ask, answers", [(ask_tag, (304, 200)), (ask_changes, (200, 410))])
def test_a_server_that_runs_meanwhile(make_server, ask, answers):
    """It loses the database, and finds the restored one. Not even the request that finds it is answered as
    in the era before."""
    server = make_server()
    before = learn(server)
    assert ask(server, before) == answers[0]
    end_connections(server.data)
    restored = server.data.copy()
    succeed("restore", *where(restored))
    assert ask(server, before) == 503
    replace(server.data, restored)
    assert until(lambda: ask(server, before), lambda status: status != 503, "it is to connect") == answers[1]
    for check in (test_changes, test_tags, test_cursors):
        check((server, before))
    assert len([line for line in server.messages() if "a new era begins" in line]) == 1, server.messages()


@backends.SQLITE
def test_two_restores_of_one_backup(one, tmp_path):
    """For example when the first was not the one that was wanted. They are two eras."""
    succeed("backup", "--data", one, "--to", tmp_path / "b.db")
    found = []
    for name in ("first", "second"):
        succeed("restore", "--from", tmp_path / "b.db", "--data", tmp_path / name)
        found.append(rows(tmp_path / name, "SELECT value FROM property WHERE name = 'era'"))
    assert found[0] != found[1]


def test_a_served_database_keeps_its_era(make_server):
    server = make_server()
    if isinstance(server.data, backends.Database):
        assert "other docket processes have the database open" in fails("restore", *where(server.data))
    last = changes(server, 0).json["last"]
    server.stop()
    server.start()
    assert changes(server, last).status == 200


def test_a_damaged_era(one, make_server):
    for value in ("x", "", "-1", "99999999"):
        with backends.opened(one) as database:
            database.execute("DELETE FROM property WHERE name = 'era'")
            database.execute("INSERT INTO property (name, value) VALUES ('era', ?)", (value,))
        with pytest.raises(AssertionError, match="cannot read the era of the database"):
            make_server(one)
