"""Creating a task: the address, its seven parts, and the codes of countries and states."""
import json
import pathlib

import pytest

import backends
from harness import ADDRESS_PARTS, cases, faults, label, messages, task
from tables import CHARACTERS, check_accepted, check_nothing_stored, refuse, whole

pytestmark = backends.BOTH

ADDRESS = [
    ("address null", None, None),
    ("address empty text", "", None),
    ("address empty array", [], None),
    ("address empty object", {}, None),
    ("address of empty parts", dict.fromkeys(ADDRESS_PARTS, ""), None),
    ("address of null parts", dict.fromkeys(ADDRESS_PARTS), None),
    ("address of blanks", {"address_1": " ", "city": "   "}, None),
    ("address of one part", {"city": "Denver"}, whole(city="Denver")),
    ("address with null parts", {"city": "Denver", "state": None, "zip": None, "country": None},
     whole(city="Denver")),
    ("parts as they are", {"address_1": " 1 \u00dcber St ", "address_2": "\"2\""},
     whole(address_1=" 1 \u00dcber St ", address_2="\"2\"")),
    ("country alone", {"country": "AU"}, whole(country="AU")),
    ("country in small letters", {"country": "au", "state": "nsw"},
     whole(country="AU", state="NSW")),
    ("the account's own country alone", {"country": "US"}, whole()),
    ("state in mixed letters", {"state": "Co", "country": "uS"}, whole(state="CO")),
    ("lines in a part", {"address_1": "a\r\nb\tc"}, whole(address_1="a\r\nb\tc")),
    ("empty country", {"country": "", "state": "CO"}, whole(state="CO")),
    ("state in small letters", {"state": "co"}, whole(state="CO")),
    ("state of one character", {"country": "IE", "state": "D"}, whole(country="IE", state="D")),
    ("state of another country", {"country": "CA", "state": "QC"},
     whole(country="CA", state="QC")),
    ("state of digits", {"country": "JP", "state": "13"}, whole(country="JP", state="13")),
    ("state of digits and a letter", {"country": "FR", "state": "2a"},
     whole(country="FR", state="2A")),
    ("country without codes", {"country": "HK", "state": "KOWLOON"},
     whole(country="HK", state="KOWLOON")),
    ("zip as text", {"zip": "80202-1234"}, whole(zip="80202-1234")),
    ("short zip as text", {"zip": "2134"}, whole(zip="2134")),
    ("zip as a number", {"zip": 80202}, whole(zip="80202")),
    ("short zip as a number", {"zip": 2134}, whole(zip="02134")),
    ("zip of 0", {"zip": 0}, whole(zip="00000")),
    ("the largest zip", {"zip": 2**63 - 1}, whole(zip="9223372036854775807")),
    ("zip of one digit", {"zip": 1}, whole(zip="00001")),
    ("long zip as a number", {"zip": 802021234}, whole(zip="802021234")),
    ("zip as a number, country given", {"zip": 2134, "country": "us"}, whole(zip="02134")),
    ("zip as a number elsewhere", {"zip": 800, "country": "AU"}, whole(zip="800", country="AU")),
] + [
    (f"{state} for the US", {"state": state}, whole(state=state))
    for state in ("AA", "AE", "AP", "DC", "PR", "WY")
] + [
    (f"{part} of 255 characters, {name}", {part: text * 255}, whole(**{part: text * 255}))
    for part in ("address_1", "address_2", "address_3", "city", "zip")
    for name, text in CHARACTERS.items()
] + [
    ("free state of 255 characters", {"country": "HK", "state": "A" * 255},
     whole(country="HK", state="A" * 255)),
]
ADDRESSES = [(name, {"address": sent}, {"address": got}) for name, sent, got in ADDRESS]

ADDRESS_FAULTS = [
    (f"{part}={label(sent)}", {part: sent}, [(part, code)])
    for part, code, values in [
        ("state", "choice", ["ZZ", "XX", "NSW", "US-CO", "C", "COL", "Colorado", "CO ",
                             " CO"]),
        ("country", "choice", ["XX", "ZZ", "USA", "UK", "XK", "U", "840", "United States", "US "]),
        ("zip", "type", [80202.0, 1.5, True, [], {}]),
        ("zip", "range", [-1, -80202]),
    ] + [(part, "type", [5, 0, 1.5, True, [], {}, ["a"]])
         for part in ADDRESS_PARTS if part != "zip"]
    for sent in values
] + [
    (f"{part} of 256 characters, {name}", {part: text * 256}, [(part, "too_long")])
    for part in ("address_1", "address_2", "address_3", "city", "zip")
    for name, text in CHARACTERS.items()
] + [
    ("military state elsewhere", {"country": "AU", "state": "AA"}, [("state", "choice")]),
    ("state of the US elsewhere", {"country": "CA", "state": "CO"}, [("state", "choice")]),
    ("free state of 256 characters", {"country": "HK", "state": "A" * 256},
     [("state", "too_long")]),
    ("country of 256 characters", {"country": "U" * 256}, [("country", "too_long")]),
    ("state of 256 characters", {"state": "C" * 256}, [("state", "too_long")]),
    ("blank state", {"city": "Denver", "state": " "}, [("state", "choice")]),
    ("blank country", {"city": "Denver", "country": " "}, [("country", "choice")]),
    ("wrong part among empty ones", {**dict.fromkeys(ADDRESS_PARTS, ""), "city": 5},
     [("city", "type")]),
    ("state and country at once", {"state": 5, "country": "XX"},
     [("country", "choice"), ("state", "type")]),
    ("unknown part", {"city": "Denver", "colour": "red"}, [("colour", "unknown_field")]),
    ("unknown part that is null", {"colour": None}, [("colour", "unknown_field")]),
    ("several parts", {"state": "ZZ", "city": 5, "zip": -1, "street": ""},
     [("city", "type"), ("state", "choice"), ("street", "unknown_field"), ("zip", "range")]),
]
BAD_ADDRESSES = [
    (name, {"address": sent}, [("task.address." + part, code) for part, code in want])
    for name, sent, want in ADDRESS_FAULTS
] + refuse("address", "type", [[1], [{}], ["a"], "a", "2000 Blake Street", 5, 0, 1.5, True,
                               False])


@pytest.mark.parametrize("sent, got", cases(ADDRESSES))
def test_accepted(server, sent, got):
    check_accepted(server, sent, got)


@pytest.mark.parametrize("sent, want", cases(BAD_ADDRESSES))
def test_refused(server, sent, want):
    assert faults(server.post(task(**sent))) == sorted(want)


def test_nothing_is_stored_where_anything_is_wrong(server):
    check_nothing_stored(server, BAD_ADDRESSES)


# The lists of codes in the iso-codes package.
ISO_CODES = pathlib.Path("/usr/share/iso-codes/json")


def subdivisions():
    """The codes of each country's subdivisions by the country's code, in ISO's order."""
    def read(name):
        return json.loads((ISO_CODES / f"iso_{name}.json").read_text(encoding="utf-8"))[name]
    found = {country["alpha_2"]: [] for country in read("3166-1")}
    for subdivision in read("3166-2"):
        country, code = subdivision["code"].split("-", 1)
        found[country].append(code)
    return found


@pytest.mark.parametrize("letters", [str.upper, str.lower])
@pytest.mark.slow
def test_every_country_with_its_first_and_last_state(server, letters):
    known = subdivisions()
    assert len(known) > 240
    for country, codes in known.items():
        for state in {*codes[:1], *codes[-1:], *(code for code in codes if len(code) == 1)}:
            sent = {"country": letters(country), "state": letters(state)}
            got = server.create(address=sent)["address"]
            assert got == whole(country=country, state=state), sent
        reply = server.post(task(address={"country": country, "state": "~"}))
        if codes:
            assert faults(reply) == [("task.address.state", "choice")], country
        else:
            assert reply.json["address"] == whole(country=country, state="~")


@pytest.mark.slow
def test_every_other_pair_of_letters_is_no_country(server):
    known = subdivisions()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for code in (one + two for one in letters for two in letters):
        if code not in known:
            assert faults(server.post(task(address={"country": code}))) == [
                ("task.address.country", "choice")], code


@pytest.mark.parametrize("part, sent", [("state", "ZZ"), ("country", "XX")])
def test_a_wrong_code_is_repeated_in_the_message(server, part, sent):
    found = messages(server.post(task(address={"city": "Denver", part: sent})))
    assert list(found) == ["task.address." + part]
    assert f'"{sent}"' in found["task.address." + part]
