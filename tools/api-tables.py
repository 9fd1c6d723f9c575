#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the tables of docs/api.md, from the OpenAPI document that the program serves:
api-tables.py PROGRAM [--check | --release]

It replaces the lines between two markers. With --check it writes nothing, and ends with 1 if a table does not
match the program. With --release it also writes the document itself into docs/: later versions keep its
promises."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
PAGE, KEPT = DOCS / "api.md", DOCS / "openapi-v1.json"
BLOCK = re.compile(r"(<!-- tools/api-tables\.py: (.+?) -->\n).*?(<!-- end -->\n)", re.DOTALL)
KINDS = {"tasks": "Task", "cases": "Casefile", "subjects": "Subject", "staff members": "Staff",
         "calendars": "Calendar", "case services": "CaseService"}
METHODS = ["get", "post", "patch", "delete"]


@contextlib.contextmanager
def served(program):
    """The URL of a server with sample records."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("DOCKET_")}
    with subprocess.Popen([program, "serve", "--ephemeral", "--listen", "127.0.0.1:0"], env=env, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
        try:
            yield next(line.split()[-1] for line in server.stderr if line.startswith("listening on "))
        finally:
            server.terminate()
            server.communicate()


def table(head, rows):
    return [" | ".join(row).join(("| ", " |"))
            for row in [head, ["---"] * len(head), *rows]]


def clause(text):
    """A sentence, or several, without the last full stop."""
    return (text[0].lower() if not re.match(r"[A-Z]{2}", text) else text[0]) + text[1:].removesuffix(".")


class Tables:
    """Each method makes the table of that name."""

    def __init__(self, document):
        self.paths, self.parts = document["paths"], document["components"]
        self.schemas = self.parts["schemas"]

    def operations(self):
        for path, methods in self.paths.items():
            for method in METHODS:
                if method in methods:
                    yield method.upper(), path, methods[method]

    def requests(self):
        chosen = {"tasks", "account", "server"}
        return table(["request", "what it does"],
                     [[f"`{method} {path}`", clause(operation["summary"])]
                      for method, path, operation in self.operations() if operation["tags"][0] in chosen])

    def kinds(self):
        return table(["path", "key in bodies"],
                     [[f"`{path}`", f"`{body['schema']['required'][0]}`"]
                      for method, path, operation in self.operations()
                      if method == "POST" and "201" in operation["responses"]
                      for body in [operation["requestBody"]["content"]["application/json"]]])

    def problems(self):
        code = self.schemas["Problem"]["properties"]["code"]
        return table(["code", "status", "what is wrong", "what to do"],
                     [[f"`{name}`", str(row["status"]), clause(code["x-enumDescriptions"][name]),
                       clause(row["cure"])] for name, row in code["x-problems"].items()])

    def values(self, schema, member, head):
        """The values that a member can have."""
        helps = self.schemas[schema]["properties"][member]["x-enumDescriptions"]
        return table(head, [[f"`{name}`", clause(text)] for name, text in helps.items()])

    def codes(self):
        return self.values("Fault", "code", ["code", "what is wrong with the field or parameter"])

    def states(self):
        return self.values("Alert", "state", ["state", "what it means"])

    def reasons(self):
        return self.values("Alert", "reason", ["reason", "what it means"])

    def expansions(self):
        """The members of a task that `expand` adds."""
        rows = []
        for name, member in self.schemas["Task"]["properties"].items():
            value = re.match(r"Only with `expand=(\w+)`", member.get("description", ""))
            if value:
                kind = "an array of records" if member.get("type") == "array" else "a record or `null`"
                rows.append([f"`{value[1]}`", f"`{name}`: {kind}"])
        return table(["value of `expand`", "what is added"], rows)

    def fields(self, plural):
        new = self.schemas["New" + KINDS[plural]]
        rows = []
        for name, field in new["properties"].items():
            default = ("required" if name in new["required"] else
                       f"`{json.dumps(field['default'])}`" if "default" in field else "by rule")
            rows.append([f"`{name}`", default, self.form(field) + clause(field["description"])])
        return table([f"field of {plural}", "on create", "what it is"], rows)

    def address(self):
        return table(["part of an address", "what it is"],
                     [[f"`{name}`", self.form(part) + clause(part["description"])]
                      for name, part in self.schemas["NewAddress"]["properties"].items()])

    @staticmethod
    def form(field):
        """The form of a field, with a colon."""
        kinds = field.get("type", "address")
        kind = next(one for one in (kinds if isinstance(kinds, list) else [kinds]) if one != "null")
        if "enum" in field:
            return ", ".join(f"`{choice}`" for choice in field["enum"] if choice) + ": "
        if kind == "array":
            return f"at most {field['maxItems']} ids: "
        if "maxLength" in field:
            return f"at most {field['maxLength']:,} characters: "
        return {"date": "a date: ", "date-time": "a time: ", "int64": "an id: "}.get(
            field.get("format"), {"boolean": "`true`, `false`: ", "address": "an address: "}[kind]
            if "format" not in field else "")

    def lists(self):
        """The parameters of each list: (plural, parameters)."""
        for _, _, operation in self.operations():
            if operation["operationId"].startswith("list") and operation["tags"][0] in KINDS:
                named = [one for one in operation["parameters"] if "name" in one]
                if any(one["name"] == "sort" for one in named):
                    yield operation["tags"][0], named

    def filters(self):
        rows = {}
        for plural, named in self.lists():
            for one in named:
                head = f"Lists {plural} "
                same = re.match(r"The same as `(\w+)`", one["description"])
                if one["description"].startswith(head):
                    text = one["description"].removeprefix(head).removesuffix(".")
                    rows.setdefault((one["name"], text), []).append(plural)
                elif same:
                    rows.setdefault((one["name"], f"as `{same[1]}`"), []).append(plural)
        return table(["parameter", "of", "what is listed: records"],
                     [[f"`{name}`", "all lists" if len(plurals) == len(KINDS) else ", ".join(plurals), text]
                      for (name, text), plurals in rows.items()])

    def sorts(self):
        return table(["list", "sorts"],
                     [[plural, ", ".join(f"`{name}`" for one in named if one["name"] == "sort"
                                         for name in one["schema"]["enum"])]
                      for plural, named in self.lists()])

    def make(self, name):
        word, _, plural = name.partition(" of ")
        return getattr(self, word)(*([plural] if plural else []))


def main(program, *options):
    with served(program) as url, urllib.request.urlopen(url + "/api/v1/openapi.json") as answer:
        document = json.load(answer)
    tables = Tables(document)
    page = PAGE.read_text("utf-8")
    new = BLOCK.sub(lambda block: block[1] + "\n".join(tables.make(block[2])) + "\n" + block[3], page)
    if options == ("--check",):
        sys.exit(0 if new == page else 'docs/api.md: not up to date with the program; run "make reference"')
    PAGE.write_text(new, "utf-8")
    if options == ("--release",):
        KEPT.write_text(json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


main(*sys.argv[1:])
