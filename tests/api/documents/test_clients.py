"""The clients of examples/ that create, list, mirror and export. Prism is between them and docket."""
import csv
import io
import json

import pytest

import records
from clients import run
from harness import TASKS
from nginx import Nginx, needed
from ports import free_port
from records import KINDS, TASK

pytestmark = pytest.mark.slow
CLIENTS = ["docket.sh", "docket.py"]
# More than a page, and more changes than an answer of /changes has.
MANY = 1050
MONTH = "2024-02"


@pytest.fixture(scope="module")
def many(own_server):
    """Tasks that were completed within a month."""
    made = []
    for begin in range(0, MANY, 350):
        operations = [{"create": {
            **records.least(TASK), "status": "complete", "title": f"one of many, {number}",
            "complete_at": f"{MONTH}-{1 + number % 29:02}T12:00:00Z"}}
            for number in range(begin, begin + 350)]
        reply = records.send(own_server, "POST", f"{TASKS}/bulk", {"operations": operations})
        assert reply.status == 200, reply
        made += reply.json["results"]
    return made


@pytest.fixture(scope="module")
def token_file(own_server, tmp_path_factory):
    file = tmp_path_factory.mktemp("token") / "token"
    file.write_text(own_server.token + "\n")
    return file


@pytest.fixture(params=CLIENTS)
def client(request):
    return request.param


@pytest.fixture
def use(prism, own_server, token_file, client):
    """Runs a client and returns what it printed, after Prism has found nothing wrong."""
    def use(*arguments, client=client, **env):
        with prism.before(own_server) as url:
            done = run(client, *arguments, DOCKET_URL=url, DOCKET_API_TOKEN_FILE=token_file, **env)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout
    return use


@pytest.fixture
def fail(own_server, token_file, client):
    """Runs a client that fails, and returns the error that it printed."""
    def fail(*arguments, status=1, **env):
        address = f"http://{own_server.host}:{own_server.port}"
        done = run(client, *arguments, **{"DOCKET_URL": address, "DOCKET_API_TOKEN_FILE": token_file, **env})
        assert (done.returncode, done.stdout) == (status, ""), done
        return done.stderr
    return fail


def listed(server, kind):
    """All records of a kind, by their ids as JSON's keys."""
    have, page = {}, 1
    while page:
        part = records.send(server, "GET", f"{kind.path}?per_page=500&page={page}").json
        have.update({str(record["id"]): record for record in part})
        page = page + 1 if len(part) == 500 else 0
    return have


TITLE = "50% of \"A & B\" +c;\u00fc\u4e16 'd' \\n $(e)"


def test_create(use, own_server):
    said = json.loads(use("create", 245, 1, "2027-02-14", TITLE))
    assert said == own_server.get(said["id"]).json
    assert (said["casefile_id"], said["calendar_id"], said["due_on"]) == (245, 1, "2027-02-14")
    assert said["title"] == TITLE


def test_list(use, own_server):
    made = [own_server.create(title=TITLE, status=status, due_on=f"2031-01-{day:02}")
            for day, status in enumerate(["none", "in_progress", "complete", "none"], 1)]
    said = use("list", f"title={TITLE}", "due_from=2031-01-01", "due_to=2031-01-03",
               "status=none,in_progress", "sort=due_on", "dir=desc")
    assert [json.loads(line) for line in said.splitlines()] == made[1::-1]
    assert use("list", "title=no such task") == ""
    for task in made:
        records.remove(own_server, TASK, task["id"])


def test_list_of_several_pages(use, many):
    said = use("list", "title=one of many", "status=complete")
    assert [json.loads(line) for line in said.splitlines()] == many


def test_mirror(use, own_server, many, tmp_path):
    """What others create, change and delete between two runs, of every kind."""
    copy = tmp_path / "copy.json"
    use("mirror", copy)
    kept = [(kind, records.create(own_server, kind)["id"]) for kind in KINDS]
    gone = [(kind, records.create(own_server, kind)["id"]) for kind in KINDS]
    use("mirror", copy)
    for kind, number in kept:
        records.create(own_server, kind)
        records.change(own_server, kind, number, external_id=f"{TITLE} {copy}")
    for kind, number in gone:
        assert records.remove(own_server, kind, number).status == 204
    use("mirror", copy)
    value = json.loads(copy.read_text("utf-8"))
    assert value["records"] == {kind.wrapper: listed(own_server, kind) for kind in KINDS}
    newest = records.send(own_server, "GET", f"/api/v1/changes?since={value['last']}").json
    assert newest == {"changes": [], "last": value["last"]}
    assert [file.name for file in tmp_path.iterdir()] == ["copy.json"]


def test_mirror_goes_on_where_it_was(use, own_server, tmp_path):
    """It asks for no change again. Each client understands the copy of the other."""
    copy = tmp_path / "copy.json"
    own_server.create()
    use("mirror", copy, client=CLIENTS[0])
    value = json.loads(copy.read_text("utf-8"))
    value["records"]["calendar"]["1"]["name"] = "of this copy"
    copy.write_text(json.dumps(value))
    task = own_server.create()
    use("mirror", copy, client=CLIENTS[1])
    use("mirror", copy, client=CLIENTS[0])
    after = json.loads(copy.read_text("utf-8"))
    assert after["records"]["task"].pop(str(task["id"])) == task
    assert after["last"] > value["last"]
    assert after["records"] == value["records"]


def test_a_mirror_that_fails_changes_nothing(fail, use, tmp_path):
    copy = tmp_path / "copy.json"
    use("mirror", copy)
    before = copy.read_bytes()
    assert "API token" in fail("mirror", copy, DOCKET_USERNAME="nobody")
    assert copy.read_bytes() == before


def test_export(use, own_server, many):
    """A month's tasks from its first second to its last."""
    edges = ["01-31T23:59:59Z", "02-01T00:00:00Z", "02-29T23:59:59Z", "03-01T00:00:00Z"]
    edges = [own_server.create(title='A "title", =1+1', status="complete", complete_at=f"2024-{edge}")
             for edge in edges]
    rows = list(csv.DictReader(io.StringIO(use("export", MONTH), newline="")))
    number = records.get(own_server, records.CASE, 245).json["case_number"]
    assert rows == [
        {"id": str(task["id"]), "case_number": number, "title": task["title"], "due_on": task["due_on"],
         "complete_at": task["complete_at"]} for task in [*many, *edges[1:3]]]
    assert use("export", "1999-12").splitlines() == use("export", MONTH).splitlines()[:1]
    for task in edges:
        records.remove(own_server, TASK, task["id"])


@pytest.mark.parametrize("arguments", [[], ["create", 1], ["remove", 1], ["mirror"], ["export"]], ids=str)
def test_usage(fail, arguments):
    said = fail(*arguments, status=2)
    for word in ("usage: ", " create ", " list ", " mirror ", " export ", "DOCKET_API_TOKEN_FILE",
                 "DOCKET_URL"):
        assert word in said, said


def test_usage_without_a_token(client):
    done = run(client, "list")
    assert (done.returncode, done.stdout) == (2, "") and "DOCKET_API_TOKEN_FILE" in done.stderr


def test_what_is_wrong_is_told(fail, tmp_path):
    assert "task.due_on: must be a date" in fail("create", 245, 1, "soon", "A task")
    assert "statsu: is not a known parameter" in fail("list", "statsu=none")
    assert "API token" in fail("list", DOCKET_USERNAME="nobody")
    assert "13" in fail("export", "2027-13")
    assert "No such file" in fail("list", DOCKET_API_TOKEN_FILE=tmp_path / "none")
    assert "onnect" in fail("list", DOCKET_URL=f"http://127.0.0.1:{free_port()}")


@needed
def test_an_answer_of_a_proxy_is_told(fail, tmp_path):
    """Its body is HTML."""
    nginx = Nginx(tmp_path / "nginx", "server { listen 127.0.0.1:{port}; return 502; }")
    try:
        assert "502" in fail("list", DOCKET_URL=f"http://127.0.0.1:{nginx.port}")
    finally:
        nginx.stop()
