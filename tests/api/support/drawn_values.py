"""Values for a schema of the OpenAPI document, drawn with Hypothesis: those that fit it, and wrong ones."""
import functools
import json
import typing

from hypothesis import strategies as st

from described import found


class Ref(typing.NamedTuple):
    """The id of a record of that kind, or a change number: which one is known only when it is sent."""
    kind: str
    pick: int
    text: bool = False  # whether it is sent as a string


class Unique(typing.NamedTuple):
    """A text that no record has yet."""
    name: str


# What the document does not say: the kind of record that a member or a parameter names, and the rules of
# some texts.
NAMED = {"casefile_id": "casefile", "case": "casefile", "calendar_id": "calendar", "calendar": "calendar",
         "subject_id": "subject", "subject": "subject", "case_service_id": "case_service",
         "case_services_list": "case_service", "users_list": "staff", "user": "staff", "since": "change"}
UNIQUE = {"external_id", "case_number", "username"}
# Any of these can be merged into the result of others.
ADDRESSES = [{"city": "Denver", "state": "co", "country": "us", "zip": 2134},
             {"country": "DE", "city": "K\u00f6ln", "state": "nw", "zip": "05066"},
             {"address_1": "2000 Blake Street", "address_2": "x\ny", "zip": "1"},
             {"address_3": "\U0001f600" * 255, "city": None}, {"city": " "}, {"address_1": ""}, {}]
VALUES = {"email": ["", "jane@example.com", "J.D+x@example.co.uk"],
          "time_zone": ["UTC", "Europe/Berlin", "America/St_Johns"],
          "color": ["#3366cc", "#ABCDEF", "#000000"], "address": ADDRESSES}
WRONG_VALUES = {"email": ["x", "a@", "a b@c"], "time_zone": ["Mars/One"], "color": ["red", "#12345"],
                "username": ["a/b", "a:b", " a", "a\u200b"], "external_id": ["  "], "country": ["XX"],
                "state": ["ZZ"]}

DATES = ["2023-02-14", "2024-02-29", "2024-03-01", "1000-01-01", "9999-12-31"]
TIMES = ["2023-02-01T08:30:00Z", "2023-02-01T09:30:00+01:00", "2023-02-01 08:30:00", "2023-02-01",
         "2023-01-31T20:00:00-05:00", "2024-02-29T23:59:59.999Z", "2099-12-31T23:59:59Z",
         "1001-01-01T00:00:00Z"]
LINE = ["a", "B", " ", "\u00e9", "e\u0301", "\u00df", "\u0130", "\u8a9e", "\U0001f600", "\u202e", "\u200d",
        "\ufffe", "\U0010ffff", "'", '"', "\\", "%", "_", "<b>", "&amp;", "{}", "--", "0", "+", ","]
LINES = [*LINE, "\n", "\r\n", "\t", "\x01", "\x7f", "\u2028"]

WRONG = {"integer": [True, 1.5, "x", "1 ", "0x1", [], {}, [1], 0, -1, "0", "-1", 2 ** 63, 10 ** 30],
         "boolean": [0, 1, "true", "", [], {}], "string": [1, True, 1.5, [], {}, ["x"]],
         "enum": [1, True, [], {}, "x", "NONE", ""],
         "array": [1, True, "1", {}, [0], [[]], ["x"], [1.5]], "object": [1, True, "x", [1], [{}]],
         "date": [1, True, [], {}, "x", "2023-02-29", "2023-2-1", "0999-12-31", "10000-01-01",
                  "2023-02-14T00:00:01"],
         "date-time": [1, True, [], {}, "x", "2023-02-29", "2023-02-14T24:00:00Z", "0999-12-31",
                       "2023-02-14T00:00:00+24:00"]}
WRONG_ZIPS = [1.5, True, [], {}, -1]
# In a query a value has no other type.
WRONG_TEXTS = {"integer": ["x", "1.5", "-1", "1e3", " 1", "99999999999999999999", ""], "string": [""],
               "boolean": ["yes", "TRUE", "2", ""], "enum": ["x", "NONE", ""],
               **{form: [value for value in WRONG[form] if isinstance(value, str)] + [""]
                  for form in ("date", "date-time")}}
UNKNOWN = ["x", "", "titel", "Title", "a b", "\u00e9", "__proto__", "x" * 300]


def pick(*values):
    return st.sampled_from(values)


@functools.lru_cache(None)
def below(limit):
    return st.sampled_from(range(limit))


def one(draw, values):
    """One of some values; the first is the simplest. In a composite strategy this is faster."""
    return values[draw(below(len(values)))]


MAYBE, SELDOM = pick(False, True), pick(*[False] * 5, True)


def main(schema):
    """What a schema says of a value that is not null, with one type."""
    schema = found(schema)
    if "anyOf" in schema:
        return main(schema["anyOf"][0])
    kind = schema.get("type")
    return {**schema, "type": kind[0]} if isinstance(kind, list) else schema


def may_be_null(schema):
    schema = found(schema)
    return "null" in schema.get("type", "") or {"type": "null"} in schema.get("anyOf", [])


def form(schema):
    """The key of its row in a table of wrong values."""
    return "enum" if "enum" in schema else (
        schema["format"] if schema.get("format") in WRONG else schema["type"])


def joined(front, parts):
    return front + "".join(parts)


def texts(limit, least):
    pieces = LINE if limit <= 255 else LINES
    short = st.lists(pick(*pieces), max_size=6).map(functools.partial(joined, "x" * least))
    long = pick(*(char * min(limit, 2000) for char in ("a", "\u00e9", "\U0001f600")))
    return st.one_of(short, short, short, long)


@functools.lru_cache(None)
def refs(kind, in_digits=True):
    """Any id of the kind. In JSON some are strings."""
    return pick(*(Ref(kind, number, not in_digits and number % 6 == 5) for number in range(600)))


def fitting(schema, name="", kind="", query=False):
    """Values that fit a schema. `name`: of the member or the parameter; `kind`: what an id is of."""
    return strategy(json.dumps(schema), name, kind, query)


@functools.lru_cache(None)
def strategy(text, name, kind, query):
    schema = json.loads(text)
    values = not_null(main(schema), name, kind, query)
    rare = [st.none()] if may_be_null(schema) else [
        st.just(choice["const"]) for choice in schema.get("anyOf", []) if "const" in choice]
    return st.one_of(values, values, values, *rare)


def not_null(schema, name, kind, query):
    if name in UNIQUE:
        return pick(*(f"{name}-{number}" for number in range(40))) if query else st.just(Unique(name))
    if name in VALUES:
        return pick(*(value for value in VALUES[name] if value or not query))
    if "enum" in schema:
        return pick(*(value for value in schema["enum"] if value is not None))
    if "oneOf" in schema:
        return st.one_of([fitting(choice, name, kind) for choice in schema["oneOf"]])
    if schema["type"] == "array":
        return st.lists(fitting(schema["items"], name, kind, query), max_size=4,
                        min_size=schema.get("minItems", 0))
    if schema["type"] == "object":
        return objects(schema, kind)
    if schema["type"] == "integer":
        if name == "id" or name in NAMED:
            return refs(NAMED.get(name, kind), query)
        least = schema["minimum"]
        return pick(least, least + 1, 7, schema.get("maximum", 2 ** 63 - 1))
    if schema["type"] == "boolean":
        return st.booleans()
    if schema.get("format") in ("date", "date-time"):
        return pick(*(DATES if schema["format"] == "date" else TIMES))
    return texts(schema.get("maxLength", 255), schema.get("minLength", 0))


@st.composite
def objects(draw, schema, kind):
    """All that is required, and some of the rest."""
    return {name: draw(fitting(member, name, kind)) for name, member in schema["properties"].items()
            if not member.get("readOnly") and (name in schema.get("required", []) or draw(MAYBE))}


def wrong_values(schema, name):
    """Values that docket must refuse."""
    values = main(schema)
    wrong = list(WRONG_ZIPS if name == "zip" else WRONG[form(values)]) + WRONG_VALUES.get(name, [])
    if "maxLength" in values:
        wrong += ["x" * (values["maxLength"] + 1), "\ud800", "\0"]
    if values.get("minLength"):
        wrong += ["", " ", "a\nb", "\x7f"]
    if values.get("minItems"):
        wrong += [[]]
    if values.get("maxItems", 500) <= 100:
        wrong += [list(range(1, values["maxItems"] + 2))]
    return wrong if may_be_null(schema) else [*wrong, None]


def wrong_texts(schema):
    """The same for a parameter."""
    schema = main(schema)
    several = schema["type"] == "array"
    schema = main(schema["items"]) if several else schema
    return [*WRONG_TEXTS[form(schema)], *([",", "1,,2"] if several else []),
            *(str(schema[bound] + more) for bound, more in (("minimum", -1), ("maximum", 1))
              if bound in schema)]


def part(schema, value):
    """What a schema says of an object or an array."""
    schema = found(schema)
    for choice in map(found, schema.get("oneOf", []) + schema.get("anyOf", [])):
        if choice.get("type") == "object" and set(choice.get("required", [])) <= set(value):
            return choice
    return schema


def has_members(value):
    return isinstance(value, dict) or isinstance(value, list) and bool(value) and has_members(value[0])


@st.composite
def spoilt(draw, schema, value):
    """The value with a fault, and whether docket must refuse it even if it ignores unknown members."""
    schema = part(schema, value)
    if isinstance(value, list) and "items" in schema:
        first, certain = draw(spoilt(schema["items"], value[0]))
        return [first, *value[1:]], certain
    if not isinstance(value, dict) or "properties" not in schema:
        return value, False  # it has a fault already
    members, inner = schema["properties"], [name for name in value if has_members(value[name])]
    how = one(draw, [*["inner"] * 3 * bool(inner), "wrong", "missing", "unknown"])
    if how == "inner":
        name = one(draw, inner)
        changed, certain = draw(spoilt(members[name], value[name]))
        return {**value, name: changed}, certain
    if how == "unknown":
        return {**value, one(draw, UNKNOWN): 1}, False
    if how == "missing" and schema.get("required"):
        missing = one(draw, schema["required"])
        return {name: item for name, item in value.items() if name != missing}, True
    # docket ignores what a request has of `expand`, so no value of that is wrong. It has no type.
    name = one(draw, [name for name, member in members.items()
                      if "type" in member or not member.get("readOnly")])
    return {**value, name: one(draw, wrong_values(members[name], name))}, True
