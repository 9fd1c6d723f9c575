"""The servers that the tests talk to. The program is $DOCKET_PROGRAM, else build/docket; run the
suite with `/usr/bin/python3 -m pytest tests/api`."""
import os

import pytest

import admin
import harness
import places

# What a client sees is the same on both databases: the tests of it are run on each.
BOTH = {"test_create", "test_create_address", "test_create_times", "test_history",
        "test_idempotency", "test_json", "test_lenient", "test_list_cursors", "test_list_expand",
        "test_list_faults", "test_list_filters", "test_list_model", "test_list_pages",
        "test_list_title", "test_list_together", "test_matrix", "test_me", "test_read"}


def pytest_configure(config):
    config.addinivalue_line("markers", "sqlite_alone: what is seen is of SQLite's file")


def pytest_generate_tests(metafunc):
    if ("database" in metafunc.fixturenames and metafunc.module.__name__ in BOTH
            and not metafunc.definition.get_closest_marker("sqlite_alone")):
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server for the databases of this process's tests."""
    cluster = places.Cluster()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def database(request):
    """Which one the test is about; where both are, it is run once on each."""
    name = getattr(request, "param", "sqlite")
    if name == "postgresql":
        request.getfixturevalue("cluster")
    return name


@pytest.fixture(scope="session", autouse=True)
def program():
    if not os.access(harness.PROGRAM, os.X_OK):
        pytest.exit(f"there is no program at {harness.PROGRAM}: build it first", 1)
    return harness.PROGRAM


@pytest.fixture(scope="session")
def base(request, tmp_path_factory, database):
    """A place with the base records alone and its token. It is copied, never served."""
    place = places.new_place(request, database, tmp_path_factory.mktemp("base"), "data")
    return place, harness.make_data(place)


@pytest.fixture(scope="session")
def server(tmp_path_factory, base):
    """The one server that most tests share; it begins with the base records and no task."""
    folder = tmp_path_factory.mktemp("shared")
    server = harness.Server(places.copy(base[0], folder / "data"), base[1], folder / "stderr")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def base_of_two(request, tmp_path_factory, database):
    """A place of two accounts with the base records, of which the second has more tasks, and
    the token of each. It is copied, never served."""
    place = tmp_path_factory.mktemp("two")
    folder, tokens = places.new_place(request, database, place, "two"), {}
    for account, tasks in zip(admin.ACCOUNTS, (5, 9)):
        how = ["account", "add", account] if tokens else ["init", "--account", account]
        harness.succeed(*how, *places.options(folder), "--token-file", place / account)
        harness.succeed("demo", *places.options(folder), "--account", account, "--tasks", tasks)
        tokens[account] = (place / account).read_text().strip()
    return folder, tokens


@pytest.fixture
def two(tmp_path, base_of_two):
    """A copy of it, of which no server has more than the test starts."""
    return places.copy(base_of_two[0], tmp_path / "two")


@pytest.fixture
def one(tmp_path, base):
    """A copy of the folder of one account."""
    return places.copy(base[0], tmp_path / "one")


@pytest.fixture(scope="module")
def pair(tmp_path_factory, base_of_two):
    """A server of two accounts that the tests of a file share."""
    place = tmp_path_factory.mktemp("pair")
    pair = admin.Pair(places.copy(base_of_two[0], place / "data"), base_of_two[1], place / "log")
    yield pair
    pair.server.stop()


@pytest.fixture
def make_server(tmp_path, base):
    """Starts private servers, each on a copy of the base records unless it is told a folder."""
    made = []

    def make(data=None, token=None, **options):
        if data is None:
            data = places.copy(base[0], tmp_path / f"data-{len(made)}")
        server = harness.Server(data, token or base[1], tmp_path / f"stderr-{len(made)}",
                                **options)
        made.append(server)
        return server

    yield make
    for server in made:
        if server.running():
            server.stop()
        server.check_stderr()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    """Notes where each server's stderr stands, so that a failure shows its own part."""
    item.stderr_before = {server: server.log.stat().st_size
                          for server in harness.Server.every if server.log.exists()}
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    for server in harness.Server.every:
        if not server.log.exists():
            continue
        said = server.stderr(getattr(item, "stderr_before", {}).get(server, 0))
        if said:
            report.sections.append((f"stderr of {' '.join(server.arguments[1:])}", said[-8000:]))


@pytest.hookimpl(hookwrapper=True)
def pytest_sessionfinish():
    """No server outlives the run, also when a fixture's end failed."""
    yield
    for server in harness.Server.every:
        if server.process and server.running():
            server.kill()
