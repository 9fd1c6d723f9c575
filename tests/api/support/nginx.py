"""Debian's nginx in front of docket."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from ca import CA
from harness import ROOT
from ports import free_port

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
START_S = 30
PORTS = (8081, 8082, 8083)  # of the example

needed = pytest.mark.skipif(not NGINX, reason="NOT TESTED, nginx in front: it is not installed"
                                              " (Debian's package nginx)")

# An nginx.conf that includes the file of a site, as Debian's does.
AROUND = """
{user}daemon off;
worker_processes 2;
pid {place}/pid;
error_log {place}/error.log info;
events {{ worker_connections 512; }}
http {{
	access_log {place}/access.log;
	client_body_temp_path {place}/body;
	proxy_temp_path {place}/proxy;
	fastcgi_temp_path {place}/fastcgi;
	uwsgi_temp_path {place}/uwsgi;
	scgi_temp_path {place}/scgi;
	include {place}/docket.conf;
}}
"""


class Nginx:
    """nginx with the file of a site, in which {port} stands for the port to listen on."""

    host = "127.0.0.1"

    def __init__(self, place, site):
        place.mkdir(exist_ok=True)
        self.place, self.port = place, free_port()
        (place / "docket.conf").write_text(site.replace("{port}", str(self.port)))
        user = "user root root;\n" if os.geteuid() == 0 else ""
        (place / "nginx.conf").write_text(AROUND.format(place=place, user=user))
        self.process = subprocess.Popen(
            [NGINX, "-p", place, "-c", place / "nginx.conf", "-e", place / "error.log"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection((self.host, self.port), 1).close()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(self.process.stderr.read().decode())
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(START_S)


class Example(Nginx):
    """nginx with the configuration of examples/, with other ports, names and paths.
    With `prefixed` docket is under /tracker/, as a comment in it describes."""

    def __init__(self, place, ports, prefixed=False):
        place.mkdir()
        ca = CA(place / "ca")
        self.tls = ca.context(name_matters=False)
        certificate, key = ca.make("docket", "*.example.test")
        text = (ROOT / "examples" / "nginx.conf").read_text()
        changes = [("listen 443 ", "listen 127.0.0.1:{port} "),
                   (".example.com", ".example.test"),
                   ("/etc/ssl/docket/fullchain.pem", str(certificate)),
                   ("/etc/ssl/docket/privkey.pem", str(key)),
                   *((f"127.0.0.1:{old} ", f"127.0.0.1:{new} ")
                     for old, new in zip(PORTS, ports))]
        body = text[text.index("upstream docket"):]
        for old, new in changes:
            assert body.count(old) == 1, f"{old!r} is there {body.count(old)} times"
            body = body.replace(old, new)
        if prefixed:
            body = re.sub(r"^\tlocation / \{.*?^\t\}$", "", body, flags=re.MULTILINE | re.DOTALL)
            body = re.sub(r"^\t#(location|\t|\})", r"\t\1", body, flags=re.MULTILINE)
        super().__init__(place, body)
