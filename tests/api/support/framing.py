"""Raw requests, and checks that the server refuses or accepts them."""
from harness import TASKS, problem
from library import OLD
from wire import Wire

BODY = b'{"task":{"casefile_id":245,"calendar_id":1,"due_on":"2023-02-14","title":"outer"}}'
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
HALF = len(BODY) // 2


def smuggled(server):
    """A correct request. The server must read it only as a part of the request before it."""
    body = b'{"task":{"casefile_id":245,"calendar_id":1,"due_on":"2023-02-14","title":"inner"}}'
    return server.request("POST", TASKS, "Content-Type: application/json", body=body)


def request(server, lines, body=BODY, first=b"POST /api/v1/tasks HTTP/1.1", host=True):
    """A request that is correct except for `lines`, its last header lines without the last CRLF. {n} stands
    for the body's length, {all} for the length of the body and the smuggled request together."""
    lines = lines.replace(b"{n}", b"%d" % len(body))
    lines = lines.replace(b"{all}", b"%d" % (len(body) + len(smuggled(server))))
    head = [first, b"Authorization: " + server.access.encode()]
    if host:
        head.append(b"Host: docket.example")
    head.append(b"Content-Type: application/json")
    return b"\r\n".join([*head, lines, b"", body])


def tasks_after(server, last):
    """The titles of the tasks after that id; it gets each task by its id."""
    end = server.create(title="the end")["id"]
    replies = [server.get(task_id) for task_id in range(last + 1, end)]
    return [reply.json["title"] for reply in replies if reply.status == 200]


def refuse(server, data, silently=False):
    """Asserts that the server refuses the data, closes the connection, and does nothing else. Returns the
    refusal. With `silently` the server may close without an answer; then it returns None."""
    last = server.create(title="the beginning")["id"]
    with Wire(server) as wire:
        wire.offer(data + smuggled(server))
        while b"\r\n\r\n" not in wire.buffer and wire.more():
            pass
        said = wire.buffer
        assert not said or b"\r\nConnection: close\r\n" in said, f"expected a refusal: {said!r}"
        assert wire.to_end(), f"expected the connection to be closed: {wire.buffer!r}"
        said = wire.buffer
        head, _, rest = said.partition(b"\r\n\r\n")
        # libmicrohttpd 0.9.75 sends the head of some of its own refusals twice (SECURITY.md).
        if OLD and rest.startswith(head + b"\r\n\r\n") and b"<html>" in rest:
            wire.buffer = rest
        reply = wire.reply()
        assert not wire.buffer, f"expected one answer: {said!r}"
    made = tasks_after(server, last)
    assert made == [], f"expected that nothing is stored, and these tasks were: {made}: {said!r}"
    if reply is None:
        assert silently, "expected a refusal, and the connection was closed without one"
        return None
    assert 400 <= reply.status <= 505 and reply.status != 500, f"expected a refusal: {reply}"
    return reply


def refuse_400(server, data, by_library=False):
    """The same for a refusal by docket itself. With `by_library` libmicrohttpd 1.0.1 refuses the request
    first, in HTML."""
    reply = refuse(server, data)
    if OLD or not by_library:
        problem(reply, 400, fields=False)
    else:
        assert reply.status == 400 and reply.body.startswith(b"<html>"), reply
    return reply


def accept(server, data, status=201):
    """Asserts that the server carries out the request and then the next one."""
    with Wire(server) as wire:
        wire.send(data)
        reply = wire.reply()
        assert reply is not None and reply.status == status, f"expected {status}: {reply}"
        wire.send(smuggled(server))
        after = wire.reply()
        assert after is not None and after.status == 201, f"expected to go on: {after}"
        assert after.json["title"] == "inner"
    return reply


def refuse_or_take(server, data):
    """Asserts that the server takes both of two creates, or refuses the first and closes."""
    with Wire(server) as wire:
        wire.offer(data)
        replies = [wire.reply()]
        if replies[0] is not None and replies[0].status == 201:
            replies.append(wire.reply())
        else:
            assert wire.at_end(), f"expected the connection to be closed: {wire.buffer!r}"
    statuses = [reply and reply.status for reply in replies]
    assert statuses in ([400], [201, 201]), f"expected two tasks or a refusal: {statuses}"


def chunked(body, size=65536):
    """A body in chunks of that size."""
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
