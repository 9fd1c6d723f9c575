"""A certificate authority for the tests, its certificates, and clients that speak TLS."""
import json
import ssl
import subprocess

from harness import ANSWER_S, COMMAND_S, Reply, Wire


def openssl(*arguments, ago=0):
    """Runs it, on a day so many days ago."""
    clock = ["faketime", "-f", f"-{ago}d"] if ago else []
    subprocess.run([*clock, "openssl", *map(str, arguments)], check=True, timeout=COMMAND_S,
                   stdin=subprocess.DEVNULL, capture_output=True)


KINDS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
         "rsa": ["-newkey", "rsa:2048"], "ed25519": ["-newkey", "ed25519"]}


class CA:
    """Makes certificates in a folder, and is trusted by the clients below."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        openssl("req", "-x509", *KINDS["ec"], "-nodes", "-keyout", self.key, "-out",
                self.certificate, "-subj", "/CN=An authority", "-days", 30, "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")

    def make(self, label, *names, kind="ec", ago=0):
        """A certificate for host names, its own name among its subject, good for 30 days from so
        many days ago; returns it and its key."""
        request, extensions = self.folder / f"{label}.csr", self.folder / f"{label}.ext"
        certificate, key = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        openssl("req", *KINDS[kind], "-nodes", "-keyout", key, "-out", request, "-subj",
                f"/CN={label}")
        extensions.write_text("subjectAltName=" + ",".join("DNS:" + name for name in names))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key,
                "-CAcreateserial", "-days", 30, "-extfile", extensions, "-out", certificate,
                ago=ago)
        return certificate, key

    def context(self, version=None, name_matters=True):
        context = ssl.create_default_context(cafile=self.certificate)
        context.check_hostname = name_matters
        if version:
            context.set_ciphers("ALL:@SECLEVEL=0")  # the client must not be what refuses
            context.minimum_version = context.maximum_version = version
        return context


class TlsWire(Wire):
    """The same over TLS. `name` is what it asks for, `label` the certificate that it got."""

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
    """What the vendor's client does, by curl. Returns the answer."""
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
    return Reply(int(first.split(" ")[1]), first,
                 [tuple(part.strip() for part in line.split(":", 1)) for line in lines], body)


def curl_post(server, ca, path, value, **options):
    return curl(server, ca, path, "--header", "Content-Type: application/json", "--data",
                json.dumps(value), **options)
