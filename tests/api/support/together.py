"""Waiting for something, and work on several threads at the same time."""
import concurrent.futures
import contextlib
import threading
import time

WAIT_S = 60  # a bound on waiting: it only ends a test that hangs


def until(call, accept=bool, what="", seconds=WAIT_S, pause=0.02):
    """Calls until the result is one to accept, and returns it. `what` is said when it never is;
    it may be a function."""
    deadline = time.monotonic() + seconds
    while not accept(found := call()):
        assert time.monotonic() < deadline, (what() if callable(what) else what, found)
        time.sleep(pause)
    return found


def started(work, *arguments):
    """Begins work on a thread; its result() waits for the end, and is what it returned."""
    future = concurrent.futures.Future()

    def run():
        try:
            future.set_result(work(*arguments))
        except BaseException as fault:  # noqa: result() raises it
            future.set_exception(fault)

    threading.Thread(target=run, daemon=True).start()
    return future


def at_once(work, arguments):
    """What work(argument) returns for each of them, all begun at the same moment."""
    start = threading.Barrier(len(arguments))

    def one(argument):
        start.wait()
        return work(argument)

    with concurrent.futures.ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(one, arguments))


@contextlib.contextmanager
def beside(work, count=1):
    """Threads that each run work(number, stop) beside the block, which is given `stop` and whose
    end sets it. What is wrong in one of them is raised then."""
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        working = [pool.submit(work, number, stop) for number in range(count)]
        try:
            yield stop
        finally:
            stop.set()
            for one in working:
                one.result()
