"""What systemd does for a service: it passes sockets, and listens to what the service tells."""
import contextlib
import ctypes
import os
import pathlib
import select
import socket

FIRST_FD = 3
# The shell has the process id that docket has afterwards.
BEFORE = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"]

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # of waitpid(2): also for threads


def passing(sockets, names=None, **env):
    """The options of a Server, or of begin(), to which these open sockets are passed."""
    fds = [FIRST_FD + number for number in range(len(sockets))]

    def place():
        high = [os.dup2(one.fileno(), 200 + number) for number, one in enumerate(sockets)]
        for fd, one in zip(fds, high):
            os.dup2(one, fd)
            os.close(one)

    env = {"LISTEN_FDS": len(sockets), **env}
    if names is not None:
        env["LISTEN_FDNAMES"] = ":".join(names)
    return {"before": BEFORE, "env": env, "preexec": place, "pass_fds": fds}


class Notified:
    """The socket for NOTIFY_SOCKET."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # A name that begins with @ is no path (unix(7)).
        self.socket.bind(str(path).replace("@", "\0", 1) if str(path).startswith("@") else str(path))
        self.env = {"NOTIFY_SOCKET": str(path)}

    def close(self):
        self.socket.close()

    def next(self, seconds):
        """The next datagram as {name: value}; None if none comes in that time."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        return dict(line.split("=", 1) for line in self.socket.recv(65536).decode().splitlines())

    def until(self, name, seconds=60):
        """The next datagram that has the name; those before it are dropped."""
        while (told := self.next(seconds)) is not None:
            if name in told:
                return told
        raise AssertionError(f"{name} was not told")

    def drain(self):
        while self.next(0) is not None:
            pass


def thread_of(pid, name):
    """The thread of a process that has that name."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread is named {name}")


@contextlib.contextmanager
def stopped(thread):
    """Stops one thread of a process of ours, while its other threads run."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ptrace(request):
        if libc.ptrace(request, thread, None, None):
            raise OSError(ctypes.get_errno(), "ptrace")

    ptrace(PTRACE_SEIZE)
    ptrace(PTRACE_INTERRUPT)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        ptrace(PTRACE_DETACH)
