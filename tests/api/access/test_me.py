"""GET /api/v1/me: the staff member and the token of the credentials."""
import pytest

import backends
from backends import where
from harness import basic, faults, problem, succeed

pytestmark = backends.BOTH

ME = "/api/v1/me"


@pytest.fixture(scope="module")
def me(server):
    reply = server.call("GET", ME)
    assert reply.status == 200, reply
    return reply


def test_what_it_says(server, me):
    assert me.header("Content-Type") == "application/json"
    assert list(me.json) == ["account", "staff", "token", "version"]
    assert me.json["account"] == {"name": "main"}
    staff = me.json["staff"]
    assert list(staff) == ["id", "username", "first_name", "last_name", "email", "access_level",
                           "is_vendor", "time_zone", "external_id",
                           "created_at", "updated_at"]
    assert (staff["id"], staff["username"], staff["access_level"]) == (1, "admin", "full")
    assert me.json["token"] == {"label": "made by docket init", "scopes": ["all:write"],
                                "read_only": False, "lenient": False, "addresses": [],
                                "expires_at": None, "expires_soon": False}
    assert "docket " + me.json["version"] + "\n" == succeed("--version").stdout
    assert server.token not in me.body.decode()


def test_it_is_whoever_asks(server):
    """A token belongs to the account; the user name says which staff member it is."""
    succeed("staff", "set", "second", *where(server.data), "--access", "full")
    try:
        other = server.call("GET", ME, access=basic("second/token", server.token)).json
    finally:
        succeed("staff", "set", "second", *where(server.data), "--access", "limited")
    assert (other["staff"]["id"], other["staff"]["username"]) == (2, "second")


def test_what_a_token_may(server, tmp_path):
    succeed("token", "add", "narrow", *where(server.data), "--read-only", "--lenient",
            "--expires", "2999-12-31T22:00:00-02:00", "--token-file", tmp_path / "token")
    narrow = basic("admin/token", (tmp_path / "token").read_text().strip())
    assert server.call("GET", ME + "?nonsense=1", access=narrow).json["token"] == {
        "label": "narrow", "scopes": ["all:read"], "read_only": True, "lenient": True,
        "addresses": [], "expires_at": "3000-01-01T00:00:00Z", "expires_soon": False}
    succeed("token", "add", "lenient", *where(server.data), "--lenient", "--token-file",
            tmp_path / "lenient")
    lenient = basic("admin/token", (tmp_path / "lenient").read_text().strip())
    assert server.call("GET", ME, access=lenient).json["token"] == {
        "label": "lenient", "scopes": ["all:write"], "read_only": False, "lenient": True,
        "addresses": [], "expires_at": None, "expires_soon": False}
    succeed("token", "revoke", "lenient", *where(server.data))
    succeed("token", "revoke", "narrow", *where(server.data))
    problem(server.call("GET", ME, access=narrow), 401)


@pytest.mark.parametrize("scopes, whole", [
    ("tasks:read", False), ("cases:write,calendars:write", False), ("staff:read", True), ("staff:write", True),
    ("all:read", True)])
def test_staff_only_for_who_may_read_it(server, scopes, whole):
    """The token of a program names any staff member with full access."""
    label = f"{scopes} {whole}"
    token = succeed("token", "add", label, *where(server.data), "--scopes", scopes).stdout.strip()
    reply = server.call("GET", ME, access=basic("ADMIN/token", token))
    staff = server.call("GET", "/api/v1/staff/1").json
    assert reply.json["staff"] == (staff if whole else {"id": 1, "username": "admin"})
    assert whole or b"email" not in reply.body
    succeed("token", "revoke", label, *where(server.data))


def test_head_and_options(server, me):
    head = server.call("HEAD", ME + "/")
    assert (head.status, head.body) == (200, b"")
    assert head.header("Content-Length") == str(len(me.body))
    assert server.call("OPTIONS", ME, access=False).header("Allow") == "GET, HEAD, OPTIONS"


def test_what_it_refuses(server):
    problem(server.call("GET", ME, access=False), 401)
    problem(server.call("GET", ME, access=basic("third/token", server.token)), 403)
    assert faults(server.call("GET", ME + "?x=y"), 400) == [("x", "unknown_field")]
    problem(server.call("GET", ME + "/1"), 404)
    for method in ("POST", "PATCH", "DELETE"):
        assert problem(server.call(method, ME), 405)["detail"].startswith(f"this path does not allow {method}; ")
