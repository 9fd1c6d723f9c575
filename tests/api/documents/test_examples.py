"""The clients of examples/ that read pages."""
import pytest

from clients import run
from harness import TASKS, make_data, token_file
from nginx import Nginx, needed
from ports import free_port

CLIENTS = ["pages.py", "pages.mjs", "pages.php"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A folder from `docket demo`, and its token in a file."""
    place = tmp_path_factory.mktemp("demo") / "data"
    make_data(place, tasks=200)
    return place, token_file(place)


def check(server, client, url, file, shown):
    """The client must have created one more task, at the URL that it printed, and have read all
    tasks."""
    done = run(client, url, "admin", file)
    assert (done.returncode, done.stderr) == (0, ""), done
    (newest,) = server.call("GET", TASKS + "?sort=id&dir=desc&per_page=1").json
    count = server.call("GET", TASKS + "?mode=count").json["record_count"]
    assert done.stdout == (f"created {shown}{TASKS}/{newest['id']}\n"
                           f"{count} tasks on {(count + 49) // 50} pages\n")
    assert newest["title"].startswith("From ") and count > 200


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.slow
def test_paths(make_server, demo, prism, client):
    server = make_server(demo[0], demo[1].read_text().strip())
    with prism.before(server) as url:
        check(server, client, url, demo[1], url)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.slow
def test_absolute_links(make_server, demo, client):
    listen = f"127.0.0.1:{free_port()}"
    url = f"http://{listen}"
    server = make_server(demo[0], demo[1].read_text().strip(), listen=listen,
                         options=["--absolute-links", "--base-url", url])
    check(server, client, url, demo[1], url)


@needed
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.slow
def test_under_a_prefix(make_server, demo, tmp_path, client):
    server = make_server(demo[0], demo[1].read_text().strip(), options=["--behind-proxy"])
    nginx = Nginx(tmp_path / "nginx", f"""server {{
	listen 127.0.0.1:{{port}};
	location /tracker/ {{
		proxy_pass http://{server.host}:{server.port}/;
		proxy_set_header X-Forwarded-Prefix /tracker;
	}}
}}""")
    try:
        url = f"http://127.0.0.1:{nginx.port}/tracker"
        check(server, client, url, demo[1], url)
    finally:
        nginx.stop()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.slow
def test_what_is_wrong_is_told(make_server, demo, client):
    """A client without access prints docket's error and fails."""
    server = make_server(demo[0], demo[1].read_text().strip())
    done = run(client, f"http://127.0.0.1:{server.port}", "nobody", demo[1])
    assert done.returncode != 0 and done.stdout == ""
    assert "API" in done.stderr and "token" in done.stderr, done
