"""A table of all kinds of records, and requests on records of any kind."""
import collections
import itertools
import json

import pytest

from harness import JSON

API = "/api/v1"
# path; wrapper; the fields that a create must have; the defaults of all others; fields that may be null; sorts
Kind = collections.namedtuple("Kind", "path wrapper least rest nullable sorts")
TASK = Kind(
    f"{API}/tasks", "task",
    {"casefile_id": 245, "calendar_id": 1, "due_on": "2023-02-14", "title": "A task"},
    {"subject_id": None, "case_service_id": None, "status": "none", "body": "", "address": None,
     "users_list": [], "alert_at": None, "alert_sent_at": None, "complete_at": None,
     "external_id": None},
    ["subject_id", "case_service_id", "address", "alert_at", "external_id"],
    ["id", "due_on", "title", "created_at", "updated_at", "alert_at", "complete_at"])
CASE = Kind(
    f"{API}/cases", "casefile", {"case_number": "C{n}"},
    {"status": "open", "due_on": None, "reference_value_1": "", "reference_value_2": "",
     "reference_value_3": "", "notes": "", "case_services_list": [], "external_id": None},
    ["due_on", "external_id"],
    ["id", "case_number", "created_on", "due_on", "created_at", "updated_at"])
SUBJECT = Kind(
    f"{API}/subjects", "subject", {"casefile_id": 245, "last_name": "Name"},
    {"first_name": "", "middle_name": "", "is_primary": False, "address": None, "notes": "",
     "external_id": None},
    ["address", "external_id"], ["id", "name", "last_name", "created_at", "updated_at"])
STAFF = Kind(
    f"{API}/staff", "staff", {"username": "u{n}", "access_level": "full"},
    {"first_name": "", "last_name": "", "email": "", "is_vendor": False, "time_zone": "UTC",
     "external_id": None},
    ["external_id"],
    ["id", "username", "last_name", "first_name", "email", "created_at", "updated_at"])
CALENDAR = Kind(
    f"{API}/calendars", "calendar", {"name": "A calendar"},
    {"color": "#3366cc", "description": "", "external_id": None}, ["external_id"],
    ["id", "name", "created_at", "updated_at"])
SERVICE = Kind(
    f"{API}/case/services", "case_service", {"name": "A service"}, {"external_id": None},
    ["external_id"], ["id", "name", "created_at", "updated_at"])
KINDS = [TASK, CASE, SUBJECT, STAFF, CALENDAR, SERVICE]
NAMES = [kind.wrapper for kind in KINDS]
EACH = pytest.mark.parametrize("kind", KINDS, ids=NAMES)
NUMBERS = itertools.count(1000)


def send(server, method, path, body=None, headers=(), **options):
    data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    headers = {**(JSON if data is not None else {}), **dict(headers)}
    return server.call(method, path, data, headers, **options)


def least(kind, **fields):
    """The required fields of a create, with a new number in values that must be unique."""
    number = str(next(NUMBERS))
    return {**{name: value.replace("{n}", number) if isinstance(value, str) else value
               for name, value in kind.least.items()}, **fields}


def post(server, kind, **fields):
    return send(server, "POST", kind.path, {kind.wrapper: least(kind, **fields)})


def create(server, kind, **fields):
    reply = post(server, kind, **fields)
    assert reply.status == 201, reply
    return reply.json


def get(server, kind, number, **options):
    return send(server, "GET", f"{kind.path}/{number}", **options)


def patch(server, kind, number, headers=(), **fields):
    return send(server, "PATCH", f"{kind.path}/{number}", {kind.wrapper: fields}, headers)


def change(server, kind, number, **fields):
    reply = patch(server, kind, number, **fields)
    assert reply.status == 200, reply
    return reply.json


def remove(server, kind, number, headers=()):
    return send(server, "DELETE", f"{kind.path}/{number}", headers=headers)
