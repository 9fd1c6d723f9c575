"""A certificate authority for the tests, its certificates, and clients that speak TLS."""
import json
import os
import ssl
import subprocess

import clocks
from harness import COMMAND_S, shown
from wire import ANSWER_S, Reply, Wire


def openssl(*arguments, ago=0):
    """Runs openssl with the clock `ago` days back. The command faketime fails where an ended process with
    the same number left its semaphore; the library does not."""
    clock = {"LD_PRELOAD": clocks.library(), "FAKETIME": f"{-ago:+}d"} if ago else {}
    subprocess.run(["openssl", *map(str, arguments)], check=True, timeout=COMMAND_S,
                   stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, **clock})


KINDS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
         "rsa": ["-newkey", "rsa:2048"], "ed25519": ["-newkey", "ed25519"]}


class CA:
    """A certificate authority in a folder. The clients below trust it."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        openssl("req", "-x509", *KINDS["ec"], "-nodes", "-keyout", self.key, "-out",
                self.certificate, "-subj", "/CN=An authority", "-days", 30, "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")

    def make(self, label, *names, kind="ec", ago=0, days=30):
        """A certificate for host names, valid for `days` days from `ago` days back. Its subject is `label`. A
        name of another kind begins with it, as in "IP:::1". Returns the certificate and its key."""
        request, extensions = self.folder / f"{label}.csr", self.folder / f"{label}.ext"
        certificate, key = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        openssl("req", *KINDS[kind], "-nodes", "-keyout", key, "-out", request, "-subj",
                f"/CN={label}")
        extensions.write_text("subjectAltName=" + ",".join(
            name if ":" in name else "DNS:" + name for name in names))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", certificate,
                ago=ago)
        return certificate, key

    def context(self, version=None, name_matters=True):
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = name_matters
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")  # the server must refuse, not the client
            context.minimum_version = context.maximum_version = version
        return context


def with_tls(make_server, folder, *options):
    """A server of acme.viewcases.com, and the authority of its certificate."""
    ca = CA(folder / "ca")
    chain, key = ca.make("acme", "acme.viewcases.com")
    return make_server(options=["--tls-cert", chain, "--tls-key", key, *options]), ca


class TlsWire(Wire):
    """A Wire over TLS. `name` is the host name that it requests, `label` the subject of the certificate
    that it got."""

    def __init__(self, server, ca, name="acme.viewcases.com", **options):
        super().__init__(server)
        context = ca.context(**options)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
        except BaseException:
            self.socket.close()
            raise
        subject = dict(part[0] for part in self.socket.getpeercert()["subject"])
        self.label = subject["commonName"]

    def more(self):
        try:
            return super().more()
        except ssl.SSLEOFError:
            return False


def curl(server, ca, path, *options, host="acme.viewcases.com"):
    """Sends a request with curl, over TLS as the vendor's client does. Returns the answer."""
    address = f"{host}:{server.port}"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--include", "--http1.1", "--noproxy", "*",
         "--max-time", str(ANSWER_S), "--resolve", f"{address}:127.0.0.1", "--cacert",
         str(ca.certificate), "--user", f"{server.user}/token:{server.token}", *options,
         f"https://{address}{path}"],
        timeout=COMMAND_S, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method = (options[options.index("--request") + 1] if "--request" in options
              else "POST" if {"--data", "--json"} & set(options) else "GET")
    return shown(method, path, Reply(
        int(first.split(" ")[1]), first,
        [tuple(part.strip() for part in line.split(":", 1)) for line in lines], body))


def curl_post(server, ca, path, value, **options):
    return curl(server, ca, path, "--header", "Content-Type: application/json", "--data",
                json.dumps(value), **options)
