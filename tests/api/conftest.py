"""The servers that the tests talk to. The program is $DOCKET_PROGRAM, else build/docket; run the
suite with `/usr/bin/python3 -m pytest tests/api`.

The fixtures keep their places on SQLite, and for the tests of a file that is marked (backends.BOTH,
backends.ALL) on each of the databases in turn."""
import argparse
import contextlib
import os

import pytest

import admin
import backends
import harness
import postgres
import proofs
from backends import where


def database_names(text):
    names = text.split(",")
    if not set(names) <= set(backends.NAMES):
        raise argparse.ArgumentTypeError(f"must be some of {','.join(backends.NAMES)}")
    return names


def pytest_addoption(parser):
    parser.addoption("--databases", type=database_names, default=list(backends.NAMES),
                     metavar="NAME,…", help="run only the tests of these databases: "
                     + ",".join(backends.NAMES) + " (default: all)")


def pytest_configure(config):
    config.addinivalue_line("markers", "databases(name, …): which databases the tests run on")
    config.addinivalue_line("markers", "needs_postgresql: the test uses PostgreSQL on its own")
    config.addinivalue_line("markers", "slow: make quick leaves the test out")
    for marker in proofs.MARKERS:
        config.addinivalue_line("markers", marker)
    if not hasattr(config, "workerinput"):
        config.docket_run = postgres.begin()


def pytest_unconfigure(config):
    """When every worker has ended."""
    if hasattr(config, "docket_run"):
        folder, lock = config.docket_run
        postgres.clear(folder)
        lock.close()


def database_of(item):
    """The database that a test runs on: SQLite, also where it needs none."""
    if item.get_closest_marker("needs_postgresql"):
        return "postgresql"
    return item.callspec.params.get("database", "sqlite") if hasattr(item, "callspec") else "sqlite"


def pytest_collection_modifyitems(config, items):
    chosen = config.getoption("--databases")
    others = [item for item in items if database_of(item) not in chosen]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if database_of(item) in chosen]


def pytest_generate_tests(metafunc):
    mark = metafunc.definition.get_closest_marker("databases")
    if mark and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", mark.args, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def program():
    if not os.access(harness.PROGRAM, os.X_OK):
        pytest.exit(f"there is no program at {harness.PROGRAM}: build it first", 1)
    return harness.PROGRAM


@pytest.fixture(scope="session")
def database(request):
    """sqlite, postgresql, or partitioned: that with its tables in four parts."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def base(database):
    """A place with the base records alone and its token. It is copied, never served."""
    return backends.once(database, "base", lambda place: harness.make_data(
        place, options=backends.init_options(database)))


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Makes the server of each database once, also when tests of several come in turn."""
    made = {}

    def make(database, base):
        if database not in made:
            folder = tmp_path_factory.mktemp("shared")
            made[database] = harness.Server(backends.copy(base[0], folder / "data"), base[1],
                                            folder / "stderr")
        return made[database]

    yield make
    with contextlib.ExitStack() as stack:
        for server in made.values():
            stack.callback(server.stop)


@pytest.fixture(scope="session")
def server(servers, database, base):
    """The one server that most tests share; it begins with the base records and no task."""
    return servers(database, base)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory, base):
    """A server that the tests of a file share, which make more than tasks."""
    place = tmp_path_factory.mktemp("own")
    server = harness.Server(backends.copy(base[0], place / "data"), base[1], place / "stderr")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def base_of_two(database):
    """A place of two accounts with the base records, of which the second has more tasks, and the
    token of each. It is copied, never served."""
    def make(place):
        tokens = []
        for account, tasks in zip(admin.ACCOUNTS, (5, 9)):
            how = (["account", "add", account] if tokens else
                   ["init", "--account", account, *backends.init_options(database)])
            file = harness.token_file(place, account)
            harness.succeed(*how, *where(place), "--token-file", file)
            harness.succeed("demo", *where(place), "--account", account, "--tasks", tasks)
            tokens.append(file.read_text().strip())
        return " ".join(tokens)

    place, tokens = backends.once(database, "two", make)
    return place, dict(zip(admin.ACCOUNTS, tokens.split()))


@pytest.fixture
def new_place(database, tmp_path):
    """Makes places that nothing is in yet."""
    with contextlib.ExitStack() as stack:
        def make(name):
            place = backends.empty(database, tmp_path / name)
            stack.callback(backends.remove, place)
            return place
        yield make


@pytest.fixture
def two(tmp_path, base_of_two):
    """A copy of it, of which no server has more than the test starts."""
    place = backends.copy(base_of_two[0], tmp_path / "two")
    yield place
    backends.remove(place)


@pytest.fixture
def one(tmp_path, base):
    """A copy of the place of one account."""
    place = backends.copy(base[0], tmp_path / "one")
    yield place
    backends.remove(place)


@pytest.fixture(scope="module")
def pair(tmp_path_factory, base_of_two):
    """A server of two accounts that the tests of a file share."""
    folder = tmp_path_factory.mktemp("pair")
    place = backends.copy(base_of_two[0], folder / "data")
    pair = admin.Pair(place, base_of_two[1], folder / "log")
    yield pair
    pair.server.stop()
    backends.remove(place)


@pytest.fixture
def make_server(tmp_path, base):
    """Starts private servers, each on a copy of the base records unless it is told a place."""
    made, copies = [], []

    def make(data=None, token=None, **options):
        if data is None:
            data = backends.copy(base[0], tmp_path / f"data-{len(made)}")
            copies.append(data)
        server = harness.Server(data, token or base[1], tmp_path / f"stderr-{len(made)}",
                                **options)
        made.append(server)
        return server

    yield make
    for server in made:
        if server.running():
            server.stop()
        server.check_stderr()
    for place in copies:
        backends.remove(place)


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
