"""Random queries for lists, from a seed. Most of them match a task that exists, so that even several
filters together find something."""
import collections
import datetime
import re
import urllib.parse

from list_data import STATUSES
from list_model import EQUAL, MAY_BE_NONE, RANGES, SORTS, TIMES, Query

# Values for each filter, apart from those of the chosen task.
OTHERS = {"id": [*range(1, 40), 100000], "calendar": [1, 72, 73, 75, 76, *range(90, 99)],
          "case": [245, 246, 9301, 9302, 9303, 9311, 9312, *range(9990, 9999)],
          "subject": [209, 210, 9402, 9403, 9404, 9411, 9412, *range(990, 999)],
          "user": [1, 2, 3, 804, 805, 807, 808, *range(90, 99)], "status": STATUSES}
DIRS = ["asc", "desc"]
FILTERS = [*EQUAL, *RANGES, "title"]
# Titles to search for, apart from parts of the chosen task's title.
WORDS = ["call", "the", "straße", "e", "a", " ", "%", "zzz", "\\", "_", "xyzzy"]


def spread(rng, name, values):
    """Several values, as one parameter or as several, in every notation."""
    if len(values) == 1 or rng.random() < 0.4:
        return [(name, ",".join(values))]
    way = rng.choice(["{}", "{}[]", "{}[{}]"])
    return [(way.format(name, index), value) for index, value in enumerate(values)]


def draw_equal(rng, name, record):
    values = record[EQUAL[name]] if record else None
    values = list(values) if isinstance(values, list) else [values] if values is not None else []
    if name in MAY_BE_NONE and (record and not values or rng.random() < 0.15):
        values.append("none")
    if not values or rng.random() < 0.35:
        most = rng.choice([1, 4, 20, 40])
        values += rng.sample(OTHERS[name], rng.randint(1, min(most, len(OTHERS[name]))))
    if len(values) < 9 and rng.random() < 0.5:
        values = values[:1]
    rng.shuffle(values)
    return spread(rng, name, [str(value) for value in values])


def write_time(rng, text):
    """The time of an answer, in one of the forms that docket accepts for a bound."""
    time = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    hours = rng.choice([-11, -5, 2, 14])
    zone = datetime.timezone(datetime.timedelta(hours=hours, minutes=rng.choice([0, 30])))
    offset = time.astimezone(zone).isoformat()
    return rng.choice([
        text, text, text[:10], text[:10], text[:19], text[:19].replace("T", " "),
        text[:19] + rng.choice([".0Z", ".999Z"]), offset,
        re.sub(r":(\d\d)$", r"\1", offset), text[:19] + "+0000"])


def draw_bound(rng, name, text, last):
    if name == "due":
        day = datetime.date.fromisoformat(text) + datetime.timedelta(rng.choice([0, 0, 0, -1, 1]))
        return day.isoformat() + rng.choice(["", "", "T00:00:00", "T00:00:00Z"])
    time = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    time += datetime.timedelta(seconds=rng.choice([0, 0, 0, 0, -1, 1]))
    return write_time(rng, time.strftime("%Y-%m-%dT%H:%M:%SZ"))


def draw_range(rng, name, record, model):
    """One bound or both. In most cases the task is within them."""
    column = model.columns[RANGES[name]]
    values = [value for value in column.values() if value is not None]
    own = record and record[RANGES[name]]
    ends = rng.choice([["from"], ["to"], ["from", "to"], ["from", "to"]])
    texts = sorted(rng.choice(values) for _ in range(2))
    if own and rng.random() < 0.8:
        texts = [min(texts[0], own), max(texts[1], own)]
        if rng.random() < 0.4:
            texts[rng.randrange(2)] = own
    params = []
    for end, text in (("from", texts[0]), ("to", texts[1])):
        if end in ends:
            key = f"{name}_{end}"
            if name == "due" and rng.random() < 0.3:
                key = rng.choice([end, end.capitalize()])
            params.append((key, draw_bound(rng, name, text, end == "to")))
    return params


def draw_title(rng, record, model):
    if not record or rng.random() < 0.15:
        return [("title", rng.choice(WORDS))]
    lengths = [1, 2, 2, 3, 3, 4, 5, 8, len(record["title"])]
    if rng.random() < 0.2:
        # Longer than what docket looks up in a text index.
        record = rng.choice([row for row in model.records.values() if len(row["title"]) > 64]
                            or [record])
        lengths = [64, 65, 70, 255]
    title = rng.choice([record["title"], model.columns["title"][record["id"]]])
    length = rng.choice(lengths)
    start = rng.randrange(max(1, len(title) - length + 1))
    text = title[start:start + length]
    return [("title", rng.choice([text, text, text.upper(), text.lower(), text.title()])[:255])]


def draw_filter(rng, name, record, model):
    if name in EQUAL:
        return draw_equal(rng, name, record)
    if name in RANGES:
        return draw_range(rng, name, record, model)
    return draw_title(rng, record, model)


def draw(rng, model):
    """The parameters of a list, without those for pages; each is a name and a text."""
    ids = list(model.records)
    record = model.records[rng.choice(ids)] if rng.random() < 0.85 else None
    params = []
    for name in rng.sample(FILTERS, rng.choice([0, 1, 1, 2, 2, 2, 3, 3, 4])):
        params += draw_filter(rng, name, record, model)
    if rng.random() < 0.85:
        params.append(("sort", rng.choice(list(SORTS))))
    if rng.random() < 0.7:
        params.append(("dir", rng.choice(DIRS)))
    rng.shuffle(params)
    return params


def draw_pairs(rng, model, sort):
    """Each filter alone with a sort in both directions: once random, and once with several values."""
    records = list(model.records.values())
    for name in FILTERS:
        for way in DIRS:
            order = [("sort", sort), ("dir", way)]
            yield order + draw_filter(rng, name, rng.choice(records), model)
            if name in EQUAL:
                values = [record[EQUAL[name]] for record in records]
                values = {value for value in values if value and not isinstance(value, list)} or {
                    value for some in values for value in some}
                values = rng.sample(sorted(values), rng.randint(2, min(len(values), 5)))
                if name in MAY_BE_NONE and rng.random() < 0.5:
                    values.append("none")
                yield order + spread(rng, name, [str(value) for value in values])


def draw_size(rng, found):
    """The number of records of a page, or None for the default. Mostly there are at most nine pages."""
    size = rng.choice([None, 1, 2, 3, 5, 7, 10, 50, 500])
    if (size or 100) * 9 < found and rng.random() < 0.8:
        size = max(found // rng.randint(3, 8), 1)
    return size if size is None or size <= 500 else rng.choice([100, 500])


def encode(rng, params):
    """The query string. It escapes some characters that need no escape, at random."""
    def one(text, safe):
        if rng.random() < 0.5:
            text = urllib.parse.quote(text, safe=safe)
            return text if rng.random() < 0.7 else re.sub("%..", lambda m: m[0].lower(), text)
        return urllib.parse.quote_plus(text, safe=safe)
    parts = []
    for name, text in params:
        safe = rng.choice(["", ":,"])
        # Clients may send the "+" of an offset without escaping it; then it reads as a space.
        if re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+\d\d:?\d\d", text) and rng.random() < 0.5:
            safe += "+"
        parts.append(one(name, rng.choice(["", "[]"])) + "=" + one(text, safe))
    return "&".join(parts)


def features(params):
    """The features that a query uses, so that the tests can count what they cover."""
    query = Query(params)
    names = collections.Counter(re.sub(r"\[\d*\]$", "", name) for name, _ in params)
    found = {f"sort {query.sort} {'desc' if query.descending else 'asc'}"}
    for name, wanted in query.equal.items():
        found.add(name)
        if len(wanted) > 1:
            found.add(f"{name} several")
        if len(wanted) > 9:
            found.add(f"{name} many")
        if None in wanted:
            found.add(f"{name} none" if len(wanted) == 1 else f"{name} none or another")
        if names[name] > 1:
            found.add(f"{name} repeated")
    for name, column in RANGES.items():
        ends = [last for bound, _, last in query.bounds if bound == column]
        if ends:
            found.add(f"{name} both" if len(ends) == 2 else f"{name} {'to' if ends[0] else 'from'}")
    if query.title is not None:
        found.add(f"title of {min(len(query.title), 3) if len(query.title) < 65 else 65}")
    filters = len(query.equal) + len({bound[0] for bound in query.bounds})
    found.add(f"{filters + (query.title is not None)} filters")
    return found


def every_feature():
    """All features that the tests must cover."""
    wanted = {f"sort {sort} {way}" for sort in SORTS for way in DIRS}
    for name in EQUAL:
        wanted |= {name, f"{name} several", f"{name} repeated"}
    for name in MAY_BE_NONE:
        wanted |= {f"{name} none", f"{name} none or another"}
    wanted |= {f"{name} many" for name in EQUAL if name != "status"}
    for name in ("due", *TIMES):
        wanted |= {f"{name} {end}" for end in ("from", "to", "both")}
    return wanted | {f"title of {length}" for length in (1, 2, 3, 65)} | {
        f"{count} filters" for count in range(5)}
