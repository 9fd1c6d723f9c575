"""The servers that the tests talk to. The program is $DOCKET_PROGRAM, else build/docket; run the
suite with `/usr/bin/python3 -m pytest tests/api`."""
import os
import shutil

import pytest

import admin
import harness


@pytest.fixture(scope="session", autouse=True)
def program():
    if not os.access(harness.PROGRAM, os.X_OK):
        pytest.exit(f"there is no program at {harness.PROGRAM}: build it first", 1)
    return harness.PROGRAM


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A data folder with the base records alone and its token. It is copied, never served."""
    folder = tmp_path_factory.mktemp("base") / "data"
    return folder, harness.make_data(folder)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The one server that most tests share; it begins with the base records and no task."""
    folder = tmp_path_factory.mktemp("shared")
    token = harness.make_data(folder / "data")
    server = harness.Server(folder / "data", token, folder / "stderr")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def base_of_two(tmp_path_factory):
    """A data folder of two accounts with the base records, of which the second has more tasks, and
    the token of each. It is copied, never served."""
    place = tmp_path_factory.mktemp("two")
    folder, tokens = place / "data", {}
    for account, tasks in zip(admin.ACCOUNTS, (5, 9)):
        how = ["account", "add", account] if tokens else ["init", "--account", account]
        harness.succeed(*how, "--data", folder, "--token-file", place / account)
        harness.succeed("demo", "--data", folder, "--account", account, "--tasks", tasks)
        tokens[account] = (place / account).read_text().strip()
    return folder, tokens


@pytest.fixture
def two(tmp_path, base_of_two):
    """A copy of it, of which no server has more than the test starts."""
    folder = tmp_path / "two"
    shutil.copytree(base_of_two[0], folder)
    return folder


@pytest.fixture
def one(tmp_path, base):
    """A copy of the folder of one account."""
    folder = tmp_path / "one"
    shutil.copytree(base[0], folder)
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory, base_of_two):
    """A server of two accounts that the tests of a file share."""
    place = tmp_path_factory.mktemp("pair")
    shutil.copytree(base_of_two[0], place / "data")
    pair = admin.Pair(place / "data", base_of_two[1], place / "log")
    yield pair
    pair.server.stop()


@pytest.fixture
def make_server(tmp_path, base):
    """Starts private servers, each on a copy of the base records unless it is told a folder."""
    made = []

    def make(data=None, token=None, **options):
        if data is None:
            data = tmp_path / f"data-{len(made)}"
            shutil.copytree(base[0], data)
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
