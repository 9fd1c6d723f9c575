"""Certificates by ACME, with the commands of docs/operate.md: certbot and lego ask Pebble for them, and the
hook of examples/ gives them to docket."""
import os
import pathlib
import shutil
import socket
import ssl
import stat
import subprocess

import pytest

import documents
from acme import Pebble
from ca import CA
from harness import PROGRAM, ROOT, TASKS, succeed
from ports import free_port
from test_status import status
from together import beside, until
from wire import ANSWER_S

HOOK = ROOT / "examples" / "acme" / "deploy.sh"
# certbot is slow where many tests run.
ISSUE_S = 240


@pytest.fixture(scope="module")
def pebble(tmp_path_factory):
    pebble = Pebble(tmp_path_factory.mktemp("pebble") / "pebble")
    yield pebble
    pebble.stop()


def documented(words):
    """The command of docs/operate.md with these words."""
    text = (ROOT / "docs" / "operate.md").read_text("utf-8")
    command, = {command for kind, block in documents.blocks(text) if kind == "sh"
                for command in documents.commands(block) if words in command}
    return command


class Site:
    """A folder with the accounts acme and beta, and the certificates of their host names."""

    def __init__(self, folder, pebble, make_server):
        self.folder, self.pebble, self.make_server = folder, pebble, make_server
        self.data, self.live, self.server = folder / "data", folder / "tls", None
        succeed("init", "--data", self.data, "--account", "acme", "--token-file", folder / "token")
        succeed("account", "add", "beta", "--data", self.data, "--token-file", folder / "beta-token")
        self.config = folder / "docket.conf"
        self.config.write_text(f"data = {self.data}\n")
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "docket").symlink_to(pathlib.Path(PROGRAM).resolve())

    def serve(self):
        self.server = self.make_server(
            self.data, (self.folder / "token").read_text().strip(), options=[
                "--base-domain", "example.com", "--tls-cert", self.live / "fullchain.pem", "--tls-key",
                self.live / "privkey.pem"])
        self.server.name = "acme.example.com"
        return self.server

    def run(self, command, success=True, http_port=None, **environment):
        """Runs a command of the document, with these ports and folders in place of the machine's."""
        certbot = " ".join(["--server", self.pebble.directory, "--config-dir", str(self.folder / "certbot"),
                            "--work-dir", str(self.folder / "work"), "--logs-dir", str(self.folder / "logs")])
        for old, new in {
                "/etc/docket.conf": self.config, "/etc/docket/deploy-certificate": HOOK,
                "certbot certonly": f"certbot certonly {certbot} --http-01-port {self.pebble.http_port} "
                                    "--http-01-address 127.0.0.1 --non-interactive",
                "certbot renew": f"certbot renew {certbot} --no-random-sleep-on-renew",
                "lego ": f"lego --server {self.pebble.directory} ", "/var/lib/lego": self.folder / "lego",
                "--http ": f"--http --http.port 127.0.0.1:{http_port or self.pebble.http_port} ",
                "--tls ": f"--tls --tls.port 127.0.0.1:{self.pebble.tls_port} "}.items():
            command = command.replace(old, str(new))
        reload = f"kill -HUP {self.server.process.pid}" if self.server and self.server.running() else "true"
        done = subprocess.run(
            ["sh", "-euc", command], cwd=self.folder, capture_output=True, timeout=ISSUE_S, check=False,
            stdin=subprocess.DEVNULL, encoding="utf-8", env={
                "HOME": str(self.folder), "PATH": f"{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin",
                "LEGO_CA_CERTIFICATES": str(self.pebble.ca.certificate),
                "REQUESTS_CA_BUNDLE": str(self.pebble.ca.certificate), "DOCKET_TLS": str(self.live),
                "DOCKET_GROUP": str(os.getgid()), "DOCKET_RELOAD": reload, **environment})
        assert (done.returncode == 0) == success, (command, done, self.pebble.log.read_text()[-2000:])
        return done

    def served(self, name="acme.example.com"):
        """The serial number of the certificate that docket serves for a name. A client verifies it."""
        with socket.create_connection((self.server.host, self.server.port), ANSWER_S) as raw:
            with self.pebble.trust().wrap_socket(raw, server_hostname=name) as wrapped:
                wrapped.sendall(self.server.request("GET", TASKS + "/1", host=name))
                assert wrapped.recv(65536).startswith(b"HTTP/1.1 40")
                return wrapped.getpeercert()["serialNumber"]

    def renewed(self, before):
        return until(self.served, lambda serial: serial != before)

    def files(self):
        """There is one folder, with both files, and links to it."""
        found, = self.live.glob("pair.*")
        assert (self.live / "current").resolve() == found
        assert {name: stat.S_IMODE((self.live / name).stat().st_mode) for name in (
            ".", "current", "fullchain.pem", "privkey.pem")} == {
                ".": 0o750, "current": 0o750, "fullchain.pem": 0o640, "privkey.pem": 0o640}
        assert sorted(os.listdir(self.live)) == ["current", "fullchain.pem", found.name, "privkey.pem"]


@pytest.fixture
def site(tmp_path, pebble, make_server):
    return Site(tmp_path, pebble, make_server)


# The commands of the document

def test_the_names_of_the_accounts(site):
    said = site.run(documented("account list --config /etc/docket.conf --json | jq")).stdout
    assert said.split() == ["acme.example.com", "beta.example.com"]


@pytest.mark.slow
def test_certbot(site):
    """The first certificate, a renewal while clients send requests, and one with one more account."""
    first = documented("--cert-name docket --expand")
    site.run(first)
    site.files()
    server = site.serve()
    serial = site.served()
    assert site.served("beta.example.com") == serial
    assert status(server)["certificates"][0]["names"] == ["acme.example.com", "beta.example.com"]

    def client(_, stop):
        while not stop.is_set():
            site.served()

    with beside(client, 2):
        site.run("certbot renew --force-renewal")
        serial = site.renewed(serial)
    site.files()
    succeed("account", "add", "gamma", "--data", site.data, "--token-file", site.folder / "gamma-token")
    site.run(first)
    site.renewed(serial)
    site.served("gamma.example.com")


@pytest.mark.slow
def test_certbot_with_another_folder(site):
    """certbot takes the hook of the document, which names a folder and a command of its own."""
    other, reloaded = site.folder / "tls-2", site.folder / "reloaded"
    command = documented("--cert-name docket-2")
    for old, new in {"/etc/docket/tls-2": other, "systemctl reload docket-2": f"touch {reloaded}"}.items():
        assert old in command
        command = command.replace(old, str(new))
    site.run(command)
    assert (other / "privkey.pem").exists() and reloaded.exists() and not site.live.exists()


@pytest.mark.slow
def test_lego_http(site):
    site.run(documented("--http --domains acme.example.com run"))
    site.files()
    site.serve()
    serial = site.served()
    site.run(documented("--http --domains acme.example.com renew") + " --days 100000 --no-random-sleep")
    site.renewed(serial)
    site.files()


@pytest.mark.slow
def test_lego_tls_alpn(site):
    """docket stands still while lego has its port."""
    command = documented("--http --domains acme.example.com run").replace("--http ", "--tls ")
    site.run(command)
    site.serve()
    serial = site.served()
    site.server.stop()
    site.run(documented("--http --domains acme.example.com renew").replace("--http ", "--tls ") +
             " --days 100000 --no-random-sleep")
    site.serve()
    assert site.served() != serial


def test_an_authority_that_refuses(site):
    """Nobody answers on the port where it looks. docket keeps what it has."""
    done = site.run(documented("--http --domains acme.example.com run"), success=False, http_port=free_port())
    assert "acme: error" in done.stderr and not site.live.exists()


# The hook

@pytest.fixture
def made(tmp_path):
    """Certificates as certbot keeps them."""
    ca = CA(tmp_path / "ca")

    def make(label):
        folder = tmp_path / label
        folder.mkdir()
        for file, name in zip(ca.make(label, "acme.example.com"), ("fullchain.pem", "privkey.pem")):
            shutil.copy(file, folder / name)
        return folder
    return make


def hook(tmp_path, **environment):
    return subprocess.run([HOOK], capture_output=True, timeout=60, check=False, encoding="utf-8", env={
        "PATH": "/usr/bin:/bin", "DOCKET_TLS": str(tmp_path / "tls"), "DOCKET_GROUP": str(os.getgid()),
        "DOCKET_RELOAD": "true", **{name: str(value) for name, value in environment.items()}}, umask=0o022)


def test_by_nobody(tmp_path):
    done = hook(tmp_path)
    assert done.returncode == 2 and "let certbot or lego call this" in done.stderr
    assert hook(tmp_path, LEGO_CERT_PATH="x").returncode == 2
    assert list(tmp_path.iterdir()) == []


def content(folder):
    return {str(path): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("wrong", ["no key", "no group", "a file of somebody's"])
def test_what_fails_changes_nothing(tmp_path, made, wrong):
    old, new, live = made("old"), made("new"), tmp_path / "tls"
    more = {}
    if wrong == "a file of somebody's":
        shutil.copytree(old, live)
    else:
        assert hook(tmp_path, RENEWED_LINEAGE=old).returncode == 0
    if wrong == "no key":
        (new / "privkey.pem").unlink()
    elif wrong == "no group":
        more["DOCKET_GROUP"] = "nobody-has-this-group"
    before = content(live)
    done = hook(tmp_path, RENEWED_LINEAGE=new, DOCKET_RELOAD=f"touch {tmp_path}/reloaded", **more)
    assert done.returncode != 0 and done.stderr
    assert content(live) == before and not (tmp_path / "reloaded").exists()
    assert (live / "fullchain.pem").read_text() == (old / "fullchain.pem").read_text()


def test_names_with_spaces(tmp_path, made):
    folder = made("a name").rename(tmp_path / "it's $HOME")
    done = hook(tmp_path, RENEWED_LINEAGE=folder, DOCKET_TLS=tmp_path / "the folder")
    assert done.returncode == 0, done
    assert (tmp_path / "the folder" / "privkey.pem").read_text() == (folder / "privkey.pem").read_text()


def test_the_folders_above(tmp_path, made):
    """Others may enter a folder above the one with the key, as they may the /etc/docket that is made so."""
    live = tmp_path / "etc" / "docket" / "tls"
    assert hook(tmp_path, RENEWED_LINEAGE=made("new"), DOCKET_TLS=live).returncode == 0
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (live, *live.parents[:2])] == [
        0o750, 0o755, 0o755]


def test_a_link_of_somebody_else(tmp_path, made):
    """It is replaced, and what it led to stays."""
    old, new, live = made("old"), made("new"), tmp_path / "tls"
    live.mkdir()
    (live / "current").symlink_to(old)
    before = content(old)
    assert hook(tmp_path, RENEWED_LINEAGE=new).returncode == 0
    assert content(old) == before
    assert (live / "privkey.pem").read_text() == (new / "privkey.pem").read_text()


def test_a_reload_that_fails(tmp_path, made):
    """Both files are in place, and certbot says that its hook failed."""
    new = made("new")
    assert hook(tmp_path, RENEWED_LINEAGE=new, DOCKET_RELOAD="exit 7").returncode == 7
    assert (tmp_path / "tls" / "privkey.pem").read_text() == (new / "privkey.pem").read_text()
    assert hook(tmp_path, RENEWED_LINEAGE=new).returncode == 0


def test_both_files_change_at_one_moment(tmp_path, made):
    """A reader never finds a certificate of one with the key of the other."""
    pairs = [made("one"), made("two")]
    assert hook(tmp_path, RENEWED_LINEAGE=pairs[0]).returncode == 0

    def reader(_, stop):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        while not stop.is_set():
            live = (tmp_path / "tls" / "current").resolve()
            try:
                context.load_cert_chain(live / "fullchain.pem", live / "privkey.pem")
            except FileNotFoundError:
                assert (tmp_path / "tls" / "current").resolve() != live

    with beside(reader, 2):
        for number in range(10):
            assert hook(tmp_path, RENEWED_LINEAGE=pairs[number % 2]).returncode == 0
