"""A model of GET /api/v1/tasks in plain Python over the records: every filter, sort and page of the
contract. It uses no database; the tests compare the server's answers with it."""
import datetime
import re
import unicodedata

EQUAL = {"id": "id", "calendar": "calendar_id", "case": "casefile_id", "subject": "subject_id",
         "user": "users_list", "status": "status"}
MAY_BE_NONE = ("case", "subject", "user")
TIMES = {"complete": "complete_at", "alert": "alert_at", "alert_sent": "alert_sent_at",
         "created": "created_at", "updated": "updated_at"}
RANGES = {"due": "due_on", **TIMES}
SORTS = {"id": "id", "due_on": "due_on", "title": "title", "created_at": "created_at",
         "updated_at": "updated_at", "alert_at": "alert_at", "complete_at": "complete_at"}
ALIASES = {"from": "due_from", "From": "due_from", "to": "due_to", "To": "due_to"}
PER_PAGE, PER_PAGE_MAX = 100, 500


def fold(text):
    """NFC(toCasefold(NFD(text))): two texts have the same fold if they are a canonical caseless match
    (The Unicode Standard, section 3.13, D145)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def read_date(text):
    """A date in any accepted form, also with exactly midnight; returns it as docket answers it."""
    date = re.fullmatch(r"(\d{4}-\d\d-\d\d)([T ]00:00:00(\.0+)?Z?)?", text)[1]
    return datetime.date.fromisoformat(date).isoformat()


def read_time(text, last):
    """A timestamp in any accepted form; returns it as docket answers it, in UTC with whole seconds. A bare
    date is its first second, or its last."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text + ("T23:59:59Z" if last else "T00:00:00Z")
    text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text)
    time = datetime.datetime.fromisoformat(text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    time = time.astimezone(datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Query:
    """The meaning of a list of parameters, each a name and its decoded text."""

    def __init__(self, params):
        self.equal = {}   # name → the set of wanted values; None means "without one"
        self.bounds = []  # (column, text, whether it is the upper bound); answered texts sort like their times
        self.title = None
        self.sort, self.descending = "id", False
        self.page, self.per_page = 1, PER_PAGE
        for name, text in params:
            self.read(re.sub(r"\[\d*\]$", "", name), text)

    def read(self, name, text):
        name = ALIASES.get(name, name)
        if name in EQUAL:
            wanted = self.equal.setdefault(name, set())
            for value in text.split(","):
                if value == "none" and name in MAY_BE_NONE:
                    wanted.add(None)
                else:
                    wanted.add(value if name == "status" else int(value))
        elif name == "title":
            self.title = fold(text)
        elif name == "sort":
            self.sort = text
        elif name == "dir":
            self.descending = {"asc": False, "desc": True}[text]
        elif name in ("page", "per_page"):
            setattr(self, name, int(text))
        else:
            what, end = name.rsplit("_", 1)
            last = {"from": False, "to": True}[end]
            value = read_date(text) if what == "due" else read_time(text, last)
            self.bounds.append((RANGES[what], value, last))


class Model:
    """An account's tasks, from the body that GET answers for each."""

    def __init__(self, bodies, parse):
        self.bodies = bodies  # id → the bytes of the record
        self.records = {task_id: parse(body) for task_id, body in bodies.items()}
        self.columns = {}
        names = {*EQUAL.values(), *RANGES.values(), *SORTS.values()}
        for name in names - {"title"}:
            self.columns[name] = {key: record[name] for key, record in self.records.items()}
        self.columns["title"] = {key: fold(record["title"])
                                 for key, record in self.records.items()}

    def find(self, query):
        """The ids of the tasks that match a query, in any order."""
        found = list(self.records)
        for name, wanted in query.equal.items():
            column = self.columns[EQUAL[name]]
            if name == "user":
                found = [key for key in found if not wanted.isdisjoint(column[key] or (None,))]
            else:
                found = [key for key in found if column[key] in wanted]
        for name, bound, last in query.bounds:
            column = self.columns[name]
            found = [key for key in found if column[key] is not None
                     and (column[key] <= bound if last else column[key] >= bound)]
        if query.title is not None:
            column = self.columns["title"]
            found = [key for key in found if query.title in column[key]]
        return found

    def order(self, found, query):
        """The ids sorted: nulls last in both directions, ties by id in the same direction."""
        column = self.columns[SORTS[query.sort]]
        present = [key for key in found if column[key] is not None]
        absent = [key for key in found if column[key] is None]
        present.sort(key=lambda key: (column[key], key), reverse=query.descending)
        absent.sort(reverse=query.descending)
        return present + absent

    def select(self, query):
        """The ids of all matches of a query in order, over all pages."""
        return self.order(self.find(query), query)

    def pages(self, query):
        """The same, page by page."""
        ids, size = self.select(query), query.per_page
        return [ids[start:start + size] for start in range(0, len(ids), size)]

    def count(self, query):
        """The answer to mode=count."""
        found = len(self.find(query))
        return {"record_count": found, "page_count": -(-found // query.per_page)}

    def body(self, ids):
        """The body of a page with these records."""
        return b"[" + b",".join(self.bodies[key] for key in ids) + b"]"
