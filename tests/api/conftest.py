"""The fixtures of the suite. The program is $DOCKET_PROGRAM, else build/docket; run the suite with
`/usr/bin/python3 -m pytest tests/api`.

The fixtures make their places (data folders or databases) on SQLite. For a file with a mark
(backends.BOTH, backends.ALL) they make them on each of its databases in turn."""
import argparse
import collections
import contextlib
import functools
import gc
import itertools
import os
import re

import pytest

import admin
import backends
import described
import harness
import ledger
import postgres
import proofs
from backends import where
from clocks import Clock
from prism import Prism


NUMBERS = itertools.count(1)
# How many plain tests take as long as one with that mark.
WEIGHTS = {"slow": 25, "needs_postgresql": 100,
           **{marker.partition(":")[0]: 200 for marker in proofs.MARKERS}}
PRISM_FILES = tuple(f"documents/test_{name}.py" for name in (
    "prism", "clients", "examples", "reference", "generated"))


def database_names(text):
    names = text.split(",")
    if not set(names) <= set(backends.NAMES):
        raise argparse.ArgumentTypeError(f"must be some of {','.join(backends.NAMES)}")
    return names


def pytest_addoption(parser):
    parser.addoption("--databases", type=database_names, default=list(backends.NAMES),
                     metavar="NAME,…", help="run only the tests of these databases: "
                     + ",".join(backends.NAMES) + " (default: all)")
    parser.addoption("--described", action="store_true",
                     help="check that each answer is as the OpenAPI document says")
    parser.addoption("--prism", action="store_true",
                     help="the same by Prism, a proxy from npm")


def pytest_configure(config):
    config.addinivalue_line("markers", "databases(name, …): which databases the tests run on")
    config.addinivalue_line("markers", "needs_postgresql: the test uses PostgreSQL on its own")
    config.addinivalue_line("markers", "slow: make quick leaves the test out")
    for marker in proofs.MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("--described"):
        harness.Server.check = staticmethod(described.check)
    if not hasattr(config, "workerinput"):
        config.docket_run = postgres.begin()


def pytest_unconfigure(config):
    """Removes the clusters when every worker has ended."""
    if hasattr(config, "docket_run"):
        folder, lock = config.docket_run
        postgres.clear(folder)
        lock.close()


def database_of(item):
    """The database that a test runs on; SQLite for a test that needs none."""
    if item.get_closest_marker("needs_postgresql"):
        return "postgresql"
    return item.callspec.params.get("database", "sqlite") if hasattr(item, "callspec") else "sqlite"


@functools.lru_cache(None)
def unit_of(nodeid):
    """The file of a test and its database: such tests share what is made for a file. The files that use
    Prism are one, because its start costs seconds."""
    file, _, test = nodeid.partition("::")
    if file.endswith(PRISM_FILES):
        file = "prism"
    return file, *re.findall(r"[\[-](sqlite|postgresql|partitioned)[\]-]", test)[:1]


@pytest.hookimpl(hookwrapper=True)
def pytest_collection():
    """What is collected stays to the end of the run, so the garbage collector need not look at it."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@pytest.hookimpl(hookwrapper=True)
def pytest_collection_modifyitems(config, items):
    """Leaves out the other databases, and the proof that has no short form. Puts the longest files first,
    so that no worker is still at one when the others have nothing left."""
    chosen = config.getoption("--databases")
    others = {item for item in items if database_of(item) not in chosen
              or item.get_closest_marker("proof_testssl") and not proofs.size(0)}
    if others:
        config.hook.pytest_deselected(items=list(others))
        items[:] = [item for item in items if item not in others]
    yield
    weights = collections.Counter()
    for item in items:
        weights[unit_of(item.nodeid)] += max((WEIGHTS.get(mark.name, 1)
                                              for mark in item.iter_markers()), default=1)
    items.sort(key=lambda item: (-weights[unit_of(item.nodeid)], unit_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """One worker takes a whole unit, unless single files were asked for."""
    from xdist.scheduler import LoadScopeScheduling

    class ByUnit(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return unit_of(nodeid)

    return None if any(".py" in name for name in config.args) else ByUnit(config, log)


def pytest_generate_tests(metafunc):
    mark = metafunc.definition.get_closest_marker("databases")
    if mark and "database" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--databases")
        # A test for none of them is left out later.
        names = [name for name in mark.args if name in chosen] or mark.args
        metafunc.parametrize("database", names, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def program():
    if not os.access(harness.PROGRAM, os.X_OK):
        pytest.exit(f"there is no program at {harness.PROGRAM}: build it first", 1)
    return harness.PROGRAM


@pytest.fixture(scope="session")
def database(request):
    """sqlite, postgresql, or partitioned: PostgreSQL with its tables in four parts."""
    return getattr(request, "param", "sqlite")


@pytest.fixture(scope="session")
def prism(tmp_path_factory):
    """A proxy that compares what it forwards with the OpenAPI document."""
    proxy = Prism(tmp_path_factory.mktemp("prism"))
    yield proxy
    proxy.stop()


@pytest.fixture(scope="session", autouse=True)
def shown_to_prism(request):
    if request.config.getoption("--prism"):
        harness.Server.check = staticmethod(request.getfixturevalue("prism").check)


@pytest.fixture(scope="session")
def base(database):
    """A place with only the base records, and its token. Tests copy it and never serve it."""
    return backends.once(database, "base", lambda place: harness.make_data(
        place, options=backends.init_options(database)))


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """Makes the server of each database once, even if tests of several databases alternate."""
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
    """The server that most tests share; it begins with the base records and no task."""
    return servers(database, base)


@pytest.fixture(scope="session")
def base_of_two(database):
    """A place of two accounts with the base records, and the token of each. The second account has
    more tasks. Tests copy the place and never serve it."""
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
    """Makes empty places."""
    with contextlib.ExitStack() as stack:
        def make(name):
            place = backends.empty(database, tmp_path / name)
            stack.callback(backends.remove, place)
            return place
        yield make


@pytest.fixture
def tmp_path(tmp_path_factory):
    """pytest's own looks through all the folders of the run to find a name."""
    folder = tmp_path_factory.getbasetemp() / f"test-{next(NUMBERS)}"
    folder.mkdir(0o700)
    return folder


@pytest.fixture
def two(tmp_path, base_of_two):
    """A copy of the place of two accounts; nobody serves it unless the test does."""
    place = backends.copy(base_of_two[0], tmp_path / "two")
    yield place
    backends.remove(place)


@pytest.fixture(scope="module")
def large_data(share_server):
    """A folder that nobody serves, with 40,000 tasks. Only a copy of it may be changed."""
    server = share_server()
    server.stop()
    harness.succeed("demo", "--data", server.data, "--tasks", 40000)
    return server.data


@pytest.fixture
def one(tmp_path, base):
    """A copy of the place of one account; nobody serves it unless the test does."""
    place = backends.copy(base[0], tmp_path / "one")
    yield place
    backends.remove(place)


@pytest.fixture
def clock(tmp_path, one):
    """The clock of servers with its environment, and of `one`, if that is a database."""
    return Clock(tmp_path / "clock", ledger.now(), one if isinstance(one, backends.Database) else None)


@pytest.fixture(scope="module")
def pair(tmp_path_factory, base_of_two):
    """A server of two accounts that the tests of a file share."""
    folder = tmp_path_factory.mktemp("pair")
    place = backends.copy(base_of_two[0], folder / "data")
    pair = admin.Pair(place, base_of_two[1], folder / "log")
    yield pair
    pair.server.stop()
    backends.remove(place)


@contextlib.contextmanager
def starting(folder, base):
    """Starts servers, each on a copy of the base records unless `data` is a place."""
    made, copies = [], []

    def make(data=None, token=None, **options):
        if data is None:
            data = backends.copy(base[0], folder / f"data-{len(made)}")
            copies.append(data)
        server = harness.Server(data, token or base[1], folder / f"stderr-{len(made)}", **options)
        made.append(server)
        return server

    yield make
    for server in made:
        if server.running():
            server.stop()
        server.check_stderr()
    for place in copies:
        backends.remove(place)


@pytest.fixture
def make_server(tmp_path, base):
    with starting(tmp_path, base) as make:
        yield make


@pytest.fixture(scope="module")
def share_server(tmp_path_factory, base):
    """The same for servers that the tests of a file share."""
    with starting(tmp_path_factory.mktemp("file"), base) as make:
        yield make


@pytest.fixture(scope="module")
def own_server(share_server):
    """A server that the tests of one file share; they may change all its records."""
    return share_server()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    """Notes the length of each server's stderr, so that a failure shows only what came after."""
    harness.Server.every[:] = [server for server in harness.Server.every if server.running()]
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
    """Kills every server that still runs, even if the end of a fixture failed."""
    yield
    for server in harness.Server.every:
        if server.process and server.running():
            server.kill()
