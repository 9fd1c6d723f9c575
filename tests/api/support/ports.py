"""Ports for servers that start later, or again. They are below those that the system chooses from, so it
gives them to no connection meanwhile."""
import contextlib
import itertools
import os
import pathlib
import socket

COUNT = 10_000
PRIME = 7919  # so that runs whose process ids are near each other begin far apart


def ports_of_this_worker():
    """Each worker of a run has its own. Other runs have the same, and begin elsewhere."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    if first < COUNT + 1024:  # on such a machine any port may be given away
        first = 65_536
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = max(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1)), worker + 1)
    size = COUNT // workers
    start = first - COUNT + worker * size
    return [start + (os.getpid() * PRIME + number) % size for number in range(size)]


PORTS = itertools.cycle(ports_of_this_worker())


def free_port():
    """A port of 127.0.0.1 that nobody uses, and that this worker is not given again soon."""
    for port in itertools.islice(PORTS, COUNT):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
