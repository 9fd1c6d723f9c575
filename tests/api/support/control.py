"""Sends anything that a test likes to the control socket of a served folder."""
import contextlib
import json
import os
import socket

from harness import strict_json
from wire import ANSWER_S

SOCKET = "docket.sock"


@contextlib.contextmanager
def connected(folder):
    """A connection. The folder's path may be too long for the address of a socket."""
    place = os.open(folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(f"/proc/self/fd/{place}/{SOCKET}")
            wire.settimeout(ANSWER_S)
            yield wire
    finally:
        os.close(place)


def say(folder, data, end=True):
    """Sends bytes, with `end` also the end of the stream; returns the answer."""
    with connected(folder) as wire:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            wire.sendall(data)
            if end:
                wire.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := wire.recv(65536):
                said += part
        return said


def ask(folder, request):
    """Sends one command as the program itself does; returns the answer."""
    said = say(folder, json.dumps(request).encode() + b"\n", end=False)
    assert said.endswith(b"\n") and said.count(b"\n") == 1, said
    answer = strict_json(said)
    assert list(answer) == ["status", "out", "err"], answer
    return answer
