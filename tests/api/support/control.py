"""Speaks to the control socket of a served folder, in whatever way a test wants to."""
import contextlib
import json
import os
import socket

from harness import ANSWER_S, strict_json

SOCKET = "docket.sock"


@contextlib.contextmanager
def connected(folder):
    """A connection; the folder's path may be longer than the address of a socket can be."""
    place = os.open(folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(f"/proc/self/fd/{place}/{SOCKET}")
            wire.settimeout(ANSWER_S)
            yield wire
    finally:
        os.close(place)


def say(folder, data, end=True):
    """Sends those bytes, and with `end` that there are no more; returns what comes back."""
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
    """One command as the program itself sends it."""
    said = say(folder, json.dumps(request).encode() + b"\n", end=False)
    assert said.endswith(b"\n") and said.count(b"\n") == 1, said
    answer = strict_json(said)
    assert list(answer) == ["status", "out", "err"], answer
    return answer
