"""Wrong parameters of lists: docket reports all of them at once, and none makes it list every task."""
import itertools

import pytest

import backends
from harness import TASKS, faults, label, messages, problem
from lists import SORTS, ask, encoded, ids
from wire import ask_once

pytestmark = backends.BOTH

ANY = ["id", "calendar", "case", "subject", "user", "status"]
DATES = ["due_from", "due_to", "from", "to", "From", "To"]
TIMES = [f"{name}_{end}" for name in ("complete", "alert", "alert_sent", "created", "updated")
         for end in ("from", "to")]
ONCE = ["title", *DATES, *TIMES, "page", "per_page", "sort", "dir", "mode", "after"]
EVERY = [*ANY, *ONCE, "expand"]
GOOD = {"status": "none", "title": "a", "page": "1", "per_page": "5", "sort": "id", "dir": "asc",
        "mode": "count", "expand": "case", **dict.fromkeys([*DATES, *TIMES], "2023-01-01")}
LENIENT = {"Prefer": "handling=lenient"}


@pytest.fixture(scope="module")
def server(share_server):
    server = share_server()
    for i in range(3):
        server.create(title=f"Task {i}", users_list=[i + 1])
    return server


def refused(server, query, names, code=None):
    """Asserts a 400 that names exactly these parameters, also with lenient handling."""
    for headers in ({}, LENIENT):
        reply = ask(server, query, headers=headers)
        got = faults(reply, 400)
        assert sorted({field for field, _ in got}) == sorted(set(names)), (query, reply)
        assert code is None or {one for _, one in got} == {code}, (query, reply)
    return reply


# Unknown names

@pytest.mark.parametrize("name, nearest", [
    ("statuss", "status"), ("stats", "status"), ("Status", "status"), ("titel", "title"),
    ("perpage", "per_page"), ("per-page", "per_page"), ("pag", "page"), ("users", "user"),
    ("due_form", "due_from"), ("duefrom", "due_from"), ("due_ot", "due_to"), ("cases", "case"),
    ("complete_form", "complete_from"), ("alert_sent", None), ("calender", "calendar"),
    ("created_at_from", "created_from"), ("updatedto", "updated_to"), ("expands", "expand"),
    ("sorts", "sort"), ("model", "mode"), ("aftr", "after"), ("subjects", "subject"),
    ("FROM", None), ("form", "from"), ("frm", "from"), ("q", None), ("limit", None),
    ("offset", None), ("", None),
    ("id ", "id"), (" id", "id"), ("casefile_id", None), ("due_on", None), ("user_id", "user"),
    ("case\u200b", "case"), ("t\u00eftle", "title"), ("x" * 300, None), ("id[a]", "id"),
    ("user[", "user"), ("user]", "user"), ("user[][]", "user"), ("user[0", "user"),
    ("user[-1]", "user"), ("user[0][1]", "user"), ("[]", None), ("[]user", "user")])
def test_unknown_names(server, name, nearest):
    query = f"{encoded(name)}=1"
    assert faults(ask(server, query), 400) == [(name, "unknown_field")]
    if nearest:
        assert messages(ask(server, query), 400)[name].endswith(f"; did you mean {nearest}?")


@pytest.mark.parametrize("name", ["title", *DATES, "created_from", "page", "sort", "mode", "after"])
@pytest.mark.parametrize("brackets", ["[]", "[0]", "%5B%5D"])
def test_any_brackets_where_one_value_goes(server, name, brackets):
    reply = ask(server, f"{name}{brackets}={GOOD.get(name, 'x')}")
    ((field, _),) = faults(reply, 400)
    assert field == name + brackets.replace("%5B%5D", "[]")


def test_lenient_ignores_unknown_names_alone(server):
    whole = ids(server)
    reply = ask(server, "nonsense=1&user=2&other[]=&user=x", headers=LENIENT)
    assert faults(reply, 400) == [("user", "format")]
    reply = ask(server, "nonsense=1&user=2&other[]=", headers=LENIENT)
    assert (reply.status, [record["id"] for record in reply.json]) == (200, whole[1:2])
    assert reply.header("Preference-Applied") == "handling=lenient"
    assert sorted(name.strip() for name in reply.header("Docket-Ignored").split(",")) == [
        "nonsense", "other[]"]


# One name twice

@pytest.mark.parametrize("one, two", [
    *((name, name) for name in ONCE if name != "after"),
    *itertools.permutations(["due_from", "from", "From"], 2),
    *itertools.permutations(["due_to", "to", "To"], 2)])
def test_twice(server, one, two):
    """A repeated name is an error even if both values are equal, and if the two are aliases."""
    refused(server, f"{one}={GOOD[one]}&{two}={GOOD[two]}", [two], "repeated")
    refused(server, f"{one}={GOOD[one]}&case=245&{two}={GOOD[two]}", [two], "repeated")


def test_three_times(server):
    reply = ask(server, "from=2023-01-01&due_from=2023-01-02&From=2023-01-03")
    assert faults(reply, 400) == [("From", "repeated"), ("due_from", "repeated")]


# Empty values

@pytest.mark.parametrize("name", EVERY)
def test_empty(server, name):
    refused(server, f"{name}=", [name], "blank")
    refused(server, name, [name], "blank")
    refused(server, f"case=245&{name}=&user=1", [name], "blank")


@pytest.mark.parametrize("name", [*ANY, "expand"])
@pytest.mark.parametrize("form", ["{good},", ",{good}", "{good},,{good}", ",", ",,", "%2C"])
def test_empty_between_commas(server, name, form):
    refused(server, f"{name}={form.format(good=GOOD.get(name, '1'))}", [name], "blank")


@pytest.mark.parametrize("name", ANY)
def test_empty_among_several(server, name):
    good = GOOD.get(name, "1")
    refused(server, f"{name}={good}&{name}=", [name], "blank")
    refused(server, f"{name}[]={good}&{name}[]=", [f"{name}[]"], "blank")
    refused(server, f"{name}[0]=&{name}[1]={good}", [f"{name}[0]"], "blank")


# Values

NUMBERS = ["abc", "1a", "a1", "1.5", "1.0", "1e3", "0x10", "+1", " 1", "1 ", "1_000", "--1", "-",
           "\u0661", "\uff11", "1;2", "null", "true", "None", "NONE", "*", "%", "1 OR 1=1", "\n1"]
OUTSIDE = ["0", "-1", "00", "-0", "9223372036854775808", "18446744073709551617", "9" * 300,
           "-9223372036854775809"]


@pytest.mark.parametrize("name", ["id", "calendar", "case", "subject", "user", "page", "per_page"])
def test_numbers(server, name):
    for value in NUMBERS:
        refused(server, f"{name}={encoded(value)}", [name], "format")
    for value in OUTSIDE:
        refused(server, f"{name}={value}", [name], "range")


@pytest.mark.parametrize("name", ["id", "calendar", "case", "subject", "user"])
def test_a_wrong_number_among_right_ones(server, name):
    for form in ("1,{}", "{},1", f"1&{name}={{}}", f"{{}}&{name}=1", "1,{},2"):
        refused(server, f"{name}={form.format('abc')}", [name], "format")
        refused(server, f"{name}={form.format('0')}", [name], "range")
    refused(server, f"{name}=1,2, 3", [name], "format")
    refused(server, f"{name}=abc,-1", [name])


@pytest.mark.parametrize("name", ["id", "calendar"])
def test_none_where_each_has_one(server, name):
    refused(server, f"{name}=none", [name], "format")


@pytest.mark.parametrize("name, values", [
    ("per_page", ["501", "1000", "9223372036854775807"]), ("page", ["9223372036854775808"])])
def test_too_large(server, name, values):
    for value in values:
        refused(server, f"{name}={value}", [name], "range")


@pytest.mark.parametrize("name, values", [
    ("sort", ["ID", "due", "title,id", "-id", "id desc", "status", "body", "title_folded",
              "created", "alert_sent_at", "change", "1", " id", "id;"]),
    ("dir", ["ASC", "Desc", "up", "ascending", "1", "asc,desc", "asc "]),
    ("mode", ["Count", "list", "counts", "1", "true", "count,count"]),
    ("status", ["open", "None", "COMPLETE", "in progress", "in-progress", "0", "3", "complete ",
                "complete,open", "none;complete", "*"]),
    ("expand", ["Case", "cases", "casefile", "user", "all", "*", "case users", "case,foo", "1",
                "Users", "case;users", "body"])])
def test_choices(server, name, values):
    for value in values:
        refused(server, f"{name}={encoded(value)}", [name], "choice")
        assert "must be " in messages(ask(server, f"{name}={encoded(value)}"), 400)[name]


NO_DATES = ["2023-02-29", "1900-02-29", "2023-02-30", "2023-13-01", "2023-00-01", "2023-01-00",
            "2023-04-31", "0999-12-31", "0000-01-01", "10000-01-01", "-2023-01-01", "2023-1-1",
            "20230101", "2023/01/01", "01/02/2023", "2023-01", "2023", "1672531200", "today", "now",
            " ", "2023-01-01 ", " 2023-01-01", "2023-01-01T", "2023-01-01Z", "none", "null",
            "2023-01-01,2023-01-02", "\uff12\uff10\uff12\uff13-01-01", "2023-01-01T00:",
            "2023-01-01T24:00:00Z"]
NO_DAYS = ["2023-01-01T00:00:01", "2023-01-01T00:00", "2023-01-01T12:00:00Z", "2023-01-01T00:00:00+01:00",
           "2023-01-01T00:00:00.001Z", "2023-01-01 23:59:59"]
NO_TIMES = ["2023-01-01T25:00:00Z", "2023-01-01T10:60:00Z", "2023-01-01T10:20:61Z",
            "2023-01-01T10:20:30+24:00", "2023-01-01T10:20:30+1", "2023-01-01T10:20:30 UTC",
            "2023-01-01T10:20:30+01:60", "2023-02-29T10:20:30Z", "1000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01", "2023-01-01  10:20:30", "2023-01-01T10:20:",
            "2023-06-15T23:59:60Z", "2016-12-31T23:59:60+01:00"]


@pytest.mark.parametrize("name", DATES + TIMES)
def test_dates_and_times(server, name):
    for value in NO_DATES + (NO_DAYS if name in DATES else NO_TIMES):
        refused(server, f"{name}={encoded(value)}", [name], "format")


@pytest.mark.parametrize("query, names", [
    ("title=%", ["title"]), ("title=%4", ["title"]), ("title=%zz", ["title"]),
    ("title=a%", ["title"]), ("title=%C3", ["title"]), ("title=%FF", ["title"]),
    ("title=%ED%A0%80", ["title"]), ("title=%C0%80", ["title"]), ("title=%00", ["title"]),
    ("title=a%00b", ["title"]), ("id=1%00", ["id"]), ("id=1%00&user=%", ["id", "user"]),
    ("status=none%", ["status"]), ("%=1", None), ("ti%tle=a", None), ("titl%C3=1", None),
    ("id%00=1", None), ("user=1&user=%zz", ["user"]), ("user[]=%4", ["user[]"])])
def test_what_is_not_encoded(server, query, names):
    for more in ("", "Prefer: handling=lenient"):
        reply = ask_once(server, "GET", f"{TASKS}?{query}", *filter(None, [more]))
        got = {field for field, _ in faults(reply, 400)}
        assert names is None or got == set(names), (query, reply)


def test_too_many_values(server):
    most = ",".join(map(str, range(1, 501)))
    for name in ("id", "case", "user"):
        assert ask(server, f"{name}={most}").status == 200
        refused(server, f"{name}={most},501", [name])


# All at once

def test_every_fault_in_one_answer(server):
    wrong = {"id": "abc", "calendar": "0", "case": "x", "subject": "1.5", "user": "1,,2",
             "status": "open", "title": "", "due_from": "2023-02-29", "To": "tomorrow",
             "created_from": "x", "updated_to": "2023-13-01", "alert_sent_to": "", "page": "0",
             "per_page": "501", "sort": "name", "dir": "up", "mode": "list", "expand": "all",
             "after": "x", "nonsense": "1", "complete_to": "", "alert_from": "y"}
    reply = ask(server, "&".join(f"{name}={value}" for name, value in wrong.items()))
    # With `after`, `page` itself is a fault.
    assert {field for field, _ in faults(reply, 400)} == set(wrong)
    order = [error["field"] for error in reply.json["errors"]]
    assert order.index("id") < order.index("calendar") < order.index("nonsense")


def test_two_faults_of_one_parameter(server):
    reply = ask(server, "id=abc,0&status=open,closed")
    assert faults(reply, 400) == [("id", "format"), ("id", "range"), ("status", "choice"),
                                  ("status", "choice")]


def test_messages_are_in_the_words_of_the_request(server):
    said = messages(ask(server, "per_page=501&from=x&status=open&due_to=2023-02-30"), 400)
    assert "500" in said["per_page"] and "in_progress" in said["status"]
    assert "date" in said["from"] and "2023-02-30" in said["due_to"]


def test_counts_have_the_same_faults(server):
    for query in ("case=abc", "nonsense=1", "status=open", "due_from=x", "per_page=0", "title="):
        assert faults(ask(server, f"mode=count&{query}"), 400) == faults(ask(server, query), 400)


def test_what_a_fault_shows_is_cut(server):
    reply = ask(server, "status=" + "x" * 5000)
    assert len(reply.body) < 1500
    problem(reply, 400, fields=True)


def test_a_create_takes_none_of_them(server):
    for name in ("id", "title", "page", "expand", "From"):
        reply = server.call("POST", f"{TASKS}?{name}={GOOD.get(name, '1')}", "{}")
        assert label(reply.status) == "400", reply


def test_sorts_are_those_of_the_contract(server):
    said = messages(ask(server, "sort=x"), 400)["sort"]
    assert [name for name in SORTS if name in said] == SORTS


# Too much for a link to the next page

@pytest.mark.parametrize("count", [1, 500, 1000])
def test_a_parameter_many_times(server, count):
    """libmicrohttpd alone would drop a request with a hundred parameters or more."""
    query = "&".join(["case=none"] * count)
    assert server.call("GET", f"{TASKS}?{query}").status == 200


def test_a_query_that_does_not_fit_into_a_link(server):
    """Without a link to the next page a client would take this page for the last."""
    for _ in range(2):
        server.create()
    values = ",".join(["1", *(str(10**17 + number) for number in range(499))])
    fits = f"calendar={values}"
    assert 'rel="next"' in server.call("GET", f"{TASKS}?{fits}&per_page=1").header("Link")
    too_long = f"{fits}&case=245,{values[2:]}"
    assert faults(server.call("GET", f"{TASKS}?{too_long}&per_page=1"), 400) == [
        ("query", "too_long")]


def test_brackets_where_one_value_goes(server):
    """docket does not ignore a known filter, even with lenient handling."""
    for name in ("title[]", "title[0]", "due_from[]", "page[]", "sort[1]"):
        for headers in ({}, LENIENT):
            reply = server.call("GET", f"{TASKS}?{name}=1", headers=headers)
            assert [field for field, _ in faults(reply, 400)] == [name], reply
