"""Lists by title: searching, whatever the case, and sorting."""
import itertools
import unicodedata

import pytest

import backends
from harness import label
from lists import ask, cursor_of, encoded, folded, ids, in_order, listed, walk

pytestmark = backends.BOTH

TITLES = [
    # Forms of one word: folding makes some of them equal.
    "Straße", "STRASSE", "strasse", "STRA\u1e9eE", "Stra\u00dfe 12", "Strase",
    "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2", "\u03bf\u03b4\u03bf\u03c3",
    "\u0130stanbul", "i\u0307stanbul", "Istanbul", "\u0131stanbul", "istanbul",
    "\ufb01nd a file", "FIND A FILE", "o\ufb03ce", "OFFICE",
    "Caf\u00c9 no\u00cbl", "CAFE\u0301 NOE\u0308L", "Cafe noel", "\u1e9b\u0323 \u1e69",
    "\ud55c\uad6d \uc870\uc0ac", "\u1112\u1161\u11ab\u1100\u116e\u11a8 \u110c\u1169\u1109\u1161",
    "\u1112\u1161\u11ab", "\ud558", "\u2126 ohm", "\u03c9 OHM", "\u212bngstr\u00f6m",
    "\u00e5NGSTROM", "\uff3a of full width",
    "\u0390 and \u03b9\u0308\u0301", "\u01c4 \u01c5 \u01c6", "\u13a0 \uab70", "\u212a \u017f",
    "\u1f88 \u1f80 \u03b1\u0345", "\U00010400 \U00010428",
    "zebra", "\u00c4pfel",
    # Characters that are special in a database.
    "100% sure", "100 sure", "a_b", "aXb", "c\\d", "c\\\\d", "say \"hello\"", "say \"\" twice",
    "it's", "it''s", "star * here", "star here", "(a) [b] {c}", "x AND y", "x and y", "x OR y",
    "NOT y", "x y", "NEAR(a b)", "near a b", "title:x", "^start", "a-b", "a+b", "a b", "a/b?c=d&e",
    "%", "_", "\"", "'", "''", "*", "\\", "%41", "semi; colon -- dash", "%_%", "$1 ?1 :x @x",
    # Blanks, short titles, emoji.
    " leading", "trailing ", "two  blanks", "tab-less\u00a0no-break", "wide\u3000space",
    "a", "A", "ab", "AB", "abc", "xabcx", "ABCD", "ab cd", "b", "\u00e9", "e\u0301",
    "\U0001f600", "\U0001f600\U0001f601", "x\U0001f601y", "\U0001f468\u200d\U0001f469",
    "\u6f22\u5b57", "\u6f22", "a\u0301\u0323 order", "\u1ea1\u0301 order",
    "Call the witness", "call  the witness", "the call", "Recall theory",
    # Long titles: more than an index takes.
    "l" * 255, "l" * 254 + "m", "\u00df" * 255, "\U0001f600" * 255, "\u0390" * 255,
    "\U0001d160" * 255,
    "long " * 30 + "end", "long " * 30 + "END of it",
]


@pytest.fixture(scope="module")
def server(share_server):
    """A server whose tasks have TITLES, with ids from 1."""
    server = share_server()
    for number, title in enumerate(TITLES, 1):
        assert server.create(title=title)["id"] == number
    return server


def found(server, needle, query=""):
    """The titles that contain the needle."""
    return [record["title"] for record in
            listed(server, f"title={encoded(needle)}&per_page=500{query}")]


def wanted(needle):
    return [title for title in TITLES if folded(needle) in folded(title)]


@pytest.mark.slow
def test_titles_come_back_as_they_were_sent(server):
    assert [record["title"] for record in listed(server, "per_page=500")] == TITLES


# Literal titles, so that these rows do not depend on Python's tables.

@pytest.mark.parametrize("needles, titles", [
    (["stra\u00dfe", "STRASSE", "Stra\u1e9ee", "sTrAsSe", "straSs"],
     ["Straße", "STRASSE", "strasse", "STRA\u1e9eE", "Stra\u00dfe 12"]),
    (["\u03bf\u03b4\u03bf\u03c2", "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c3",
      "\u03b4\u03bf\u03c2"],
     ["\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2", "\u03bf\u03b4\u03bf\u03c3"]),
    # The dot of the capital I folds to a character of its own; the dotless i is another letter.
    (["\u0130stan", "i\u0307stan", "I\u0307STAN"], ["\u0130stanbul", "i\u0307stanbul"]),
    (["istan", "ISTAN"], ["Istanbul", "istanbul"]), (["\u0131stan"], ["\u0131stanbul"]),
    (["find", "\ufb01ND"], ["\ufb01nd a file", "FIND A FILE"]),
    (["FI", "\ufb01"], ["\ufb01nd a file", "FIND A FILE", "o\ufb03ce", "OFFICE"]),
    (["ffi", "\ufb03", "\ufb00i", "f\ufb01"], ["o\ufb03ce", "OFFICE"]),
    (["caf\u00e9", "CAFE\u0301", "Caf\u00c9 NOE\u0308l", "f\u00e9 n"],
     ["Caf\u00c9 no\u00cbl", "CAFE\u0301 NOE\u0308L"]), (["cafe"], ["Cafe noel"]),
    (["\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8"],
     ["\ud55c\uad6d \uc870\uc0ac",
      "\u1112\u1161\u11ab\u1100\u116e\u11a8 \u110c\u1169\u1109\u1161"]),
    # A Hangul syllable is one character; without its last consonant it is another one.
    (["\u1112\u1161", "\ud558"], ["\ud558"]),
    (["\u03c9 ohm", "\u2126 OHM"], ["\u2126 ohm", "\u03c9 OHM"]),
    (["\u00e5ngstr\u00f6m", "A\u030aNG"], None), (["\u01c4", "\u01c5", "\u01c6"], None),
    (["\U00010428", "\U00010400 \U00010428"], ["\U00010400 \U00010428"]),
    (["k s", "\u212a \u017f"], ["\u212a \u017f"]),
    (["%"], ["100% sure", "%", "%41", "%_%"]), (["100% s"], ["100% sure"]), (["%41"], ["%41"]),
    (["_"], ["a_b", "_", "%_%"]), (["a_b"], ["a_b"]), (["a%b", "a*b"], []),
    (["\\"], ["c\\d", "c\\\\d", "\\"]), (["c\\\\d"], ["c\\\\d"]), (["c\\d"], ["c\\d"]),
    (["\""], ["say \"hello\"", "say \"\" twice", "\""]), (["\"hello\"", "SAY \"H"],
                                                          ["say \"hello\""]),
    (["\"\"", "\"\" t"], ["say \"\" twice"]), (["say hello", "\"say"], []),
    (["''"], ["it''s", "''"]), (["it's"], ["it's"]), (["*"], ["star * here", "*"]),
    (["star *"], ["star * here"]), (["star*"], []), (["(a) [b]"], ["(a) [b] {c}"]),
    (["x AND y", "x and y", "AND y"], ["x AND y", "x and y"]), (["NOT y"], ["NOT y"]),
    (["x y"], ["x y"]), (["x OR y"], ["x OR y"]), (["y x", "y AND x", "x NOT y"], []),
    (["NEAR(a b)", "near(A B"], ["NEAR(a b)"]), (["near a"], ["near a b"]), (["NEAR(a, b)"], []),
    (["title:x"], ["title:x"]), (["^start"], ["^start"]), (["a-b"], ["a-b"]), (["a+b"], ["a+b"]),
    (["a/b?c=d&e"], ["a/b?c=d&e"]), (["; colon --"], ["semi; colon -- dash"]),
    (["$1 ?1 :x @x", "?1 "], ["$1 ?1 :x @x"]),
    # Blanks are ordinary characters, not separators.
    ([" lead"], [" leading"]), (["ing "], ["trailing "]), (["  "], ["two  blanks",
                                                                   "call  the witness"]),
    (["   ", "\t", "\n", "\u2028", "\x7f"], []), (["\u00a0"], ["tab-less\u00a0no-break"]),
    (["tab-less no", "wide space"], []), (["\u3000"], ["wide\u3000space"]),
    (["call the w"], ["Call the witness"]), (["ll the"], ["Call the witness", "Recall theory"]),
    (["witness call", "the  witness"], []),
    (["\u6f22"], ["\u6f22\u5b57", "\u6f22"]), (["\u5b57\u6f22"], []),
    (["\U0001f600"], ["\U0001f600", "\U0001f600\U0001f601", "\U0001f600" * 255]),
    (["\U0001f600\U0001f601"], ["\U0001f600\U0001f601"]), (["\u200d"],
                                                           ["\U0001f468\u200d\U0001f469"]),
    (["\u0323\u0301 order", "\u0301\u0323 ORDER"], []),
    (["\u1ea1\u0301 order", "a\u0323\u0301 o", "a\u0301\u0323 o"],
     ["a\u0301\u0323 order", "\u1ea1\u0301 order"]),
    (["zzz", "\u6f22\u6f22", "nothing like it"], []),
])
def test_what_is_found(server, needles, titles):
    for needle in needles:
        got = found(server, needle)
        assert got == wanted(needle), label(needle)
        assert titles is None or got == titles, label(needle)


@pytest.mark.parametrize("needle, count", [
    ("l" * 255, 1), ("l" * 254, 2), ("L" * 254 + "M", 1), ("l" * 256, 0), ("l" * 400, 0),
    ("l" * 64, 2), ("l" * 65, 2), ("l" * 63 + "m", 1), ("l" * 64 + "m", 1), ("l" * 64 + "n", 0),
    ("\u00df" * 255, 1), ("s" * 510, 1), ("S" * 509, 1), ("s" * 511, 0), ("\u1e9e" * 200, 1),
    ("\U0001f600" * 255, 1), ("\U0001f600" * 254 + "\U0001f601", 0), ("\u0390" * 255, 1),
    ("\u03b9\u0308\u0301" * 255, 1), ("\u0390" * 256, 0), ("long " * 30 + "end", 2),
    ("LONG " * 30 + "END OF", 1), ("ng " + "long " * 29 + "end of", 1),
    ("long " * 20 + "end of it", 1), ("long " * 13 + "lonh", 0)])
def test_long_needles(server, needle, count):
    """docket compares the whole needle, also after its 64th character, whatever an index uses of
    it."""
    got = found(server, needle)
    assert len(got) == count
    assert got == wanted(needle)


@pytest.mark.slow
def test_every_part_of_every_title(server):
    """Each title, and parts of it with one to four characters, in upper and lower case."""
    parts = {title[start:start + size]
             for title in TITLES for size in (1, 2, 3, 4, 9, len(title))
             for start in (0, max(len(title) - size, 0), len(title) // 2)}
    needles = {form for part in parts for form in (part, part.upper(), part.swapcase(),
                                                   unicodedata.normalize("NFD", part)) if form}
    assert len(needles) > 400
    for needle in sorted(needles):
        assert found(server, needle) == wanted(needle), label(needle)


@pytest.mark.parametrize("sort, descending", itertools.product(["id", "due_on", "title"],
                                                               [False, True]))
@pytest.mark.parametrize("needle", ["a", "s", " a", "str", "ong", "ss", "\u00df"])
def test_what_is_found_in_another_order(server, needle, sort, descending):
    records = [record for record in listed(server, "per_page=500")
               if folded(needle) in folded(record["title"])]
    query = f"title={encoded(needle)}&sort={sort}&dir={'desc' if descending else 'asc'}"
    assert listed(server, query) == in_order(records, sort, descending)
    assert sum(walk(server, query + "&per_page=2"), []) == in_order(records, sort, descending)


def test_a_needle_as_a_form_sends_it(server):
    """A plus sign is a blank, unless it is encoded; hexadecimal digits may have either case."""
    for query, titles in [("title=call+the+w", ["Call the witness"]),
                          ("title=a%2bb", ["a+b"]), ("title=a%2Bb", ["a+b"]),
                          ("title=%C3%89", wanted("\u00e9")), ("title=%c3%89", wanted("\u00e9")),
                          ("title=\u00c9", wanted("\u00e9")), ("title=c=d", ["a/b?c=d&e"]),
                          ("title=,", []), ("title=%22hello%22", ["say \"hello\""])]:
        assert [record["title"] for record in listed(server, query)] == titles, query


def test_a_needle_of_blanks_finds_blanks(server):
    """A value of blanks is not empty."""
    for needle in (" ", "+", "%20"):
        got = [record["title"] for record in listed(server, f"title={needle}&per_page=500")]
        assert got == [title for title in TITLES if " " in title], needle
        assert 0 < len(got) < len(TITLES)


# The order of titles

@pytest.mark.parametrize("descending", [False, True])
def test_the_order_of_titles(server, descending):
    """Titles sort by the code points of their folds, not by bytes, UTF-16 units or the rules of a
    language."""
    query = f"per_page=500&sort=title&dir={'desc' if descending else 'asc'}"
    records = in_order(listed(server, "per_page=500"), "title", descending)
    assert listed(server, query) == records
    assert sum(walk(server, query.replace("500", "7")), []) == records
    # In UTF-16 the surrogates of an emoji sort before some letters.
    place = [record["title"] for record in records].index
    assert (place("\uff3a of full width") < place("\U0001f600")) != descending
    assert (place("FIND A FILE") < place("istanbul")) != descending
    assert (place("zebra") < place("\u00c4pfel")) != descending


def test_titles_that_fold_alike_go_by_id(server):
    """In the direction of the list."""
    alike = [number for number, title in enumerate(TITLES, 1) if folded(title) == "strasse"]
    assert len(alike) == 4
    for direction, order in (("asc", alike), ("desc", alike[::-1])):
        got = ids(server, f"title=strasse&sort=title&dir={direction}&per_page=500")
        assert [number for number in got if number in alike] == order


def test_a_cursor_holds_the_longest_title(server):
    """A page may end with any title, and the cursor finds it again."""
    longest = max(TITLES, key=lambda title: len(folded(title).encode()))
    assert len(folded(longest).encode()) == 255 * 12
    number = TITLES.index(longest) + 1
    order = ids(server, "sort=title&per_page=500")
    place = order.index(number)
    query = f"sort=title&per_page={place + 1}"
    after = ids(server, f"after={cursor_of(ask(server, query))}")
    assert place + 1 < len(order) and after == order[place + 1:place + 101]
