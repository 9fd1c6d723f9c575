"""Pebble, Let's Encrypt's ACME server for tests, on free ports of loopback. Every host name is this machine
for it. It refuses no good nonce: by default it refuses one of twenty, and certbot tries only once more."""
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import urllib.request

from ca import CA
from harness import COMMAND_S
from ports import free_port
from together import until

A = 1  # RFC 1035, section 3.2.2


class Names:
    """A DNS server: every name has the address 127.0.0.1, and no other records."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.place = "{}:{}".format(*self.socket.getsockname())
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:  # closed
                return
            end = query.index(b"\0", 12) + 5  # of the question
            kind, = struct.unpack_from(">H", query, end - 4)
            reply = query[:2] + struct.pack(">5H", 0x8180, 1, kind == A, 0, 0) + query[12:end]
            if kind == A:
                reply += struct.pack(">3HIH4B", 0xc00c, A, 1, 0, 4, 127, 0, 0, 1)
            self.socket.sendto(reply, client)

    def close(self):
        self.socket.close()


class Pebble:
    """`http_port` and `tls_port` are where it looks for the answers to http-01 and to tls-alpn-01."""

    def __init__(self, folder):
        folder.mkdir()
        self.http_port, self.tls_port, self.port, self.management = (free_port() for _ in range(4))
        self.ca, self.names, self.log = CA(folder / "ca"), Names(), folder / "log"
        self.directory = f"https://127.0.0.1:{self.port}/dir"
        chain, key = self.ca.make("pebble", "IP:127.0.0.1")
        config = folder / "config.json"
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(chain), "privateKey": str(key), "httpPort": self.http_port,
            "tlsPort": self.tls_port, "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["pebble", "-config", config, "-dnsserver", self.names.place, "-strict"], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"})
        try:
            until(self.answers, what=self.log.read_text)
        except BaseException:
            self.stop()
            raise

    def get(self, port, path):
        context = ssl.create_default_context(cafile=self.ca.certificate)
        with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", context=context,
                                    timeout=COMMAND_S) as reply:
            return reply.read().decode()

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get(self.port, "/dir") and self.get(self.management, "/roots/0")
        except OSError:
            return False

    def trust(self):
        """A context of clients that trust the certificates that it issues."""
        return ssl.create_default_context(cadata=self.get(self.management, "/roots/0"))

    def stop(self):
        self.process.terminate()
        self.process.wait(COMMAND_S)
        self.names.close()
