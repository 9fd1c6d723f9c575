"""Whether an OpenAPI document keeps what an older one promised; docs/compatibility.md says what that is. Both
are documents of docket, so this knows only what docket writes into them."""
import math

METHODS = ["get", "post", "patch", "delete"]
# What a schema may say of a value, so that other values do not fit.
FIXED = ["type", "format", "pattern", "uniqueItems"]
LIMITS = {"minimum": -1, "minLength": -1, "minItems": -1, "maximum": 1, "maxLength": 1, "maxItems": 1}


def breaks(old, new):
    """The promises that are broken, each as "place: what is different"."""
    comparison = Comparison(old, new)
    comparison.documents()
    return comparison.told


def found(document, value):
    while "$ref" in value:
        name, value = value["$ref"], document
        for part in name.removeprefix("#/").split("/"):
            value = value[part]
    return value


def name_of(reference):
    return reference["$ref"].rsplit("/", 1)[1]


def operations(document):
    """Each operation, with the parameters of its path, by "GET /path"."""
    return {f"{method.upper()} {path}": {
        **methods[method], "parameters": {
            (one["in"], one["name"]): one for one in (
                found(document, each) for each in [*methods.get("parameters", []),
                                                   *methods[method].get("parameters", [])])}}
            for path, methods in document["paths"].items() for method in METHODS if method in methods}


def alternatives(document, schema, name=None):
    """The schemas of one type each that a value may fit, by a name for each."""
    if "$ref" in schema:
        name, schema = name_of(schema), found(document, schema)
    each = {}
    for choice in schema.get("anyOf") or schema.get("oneOf") or []:
        more = alternatives(document, choice)
        assert not each.keys() & more.keys(), f"two alternatives have one name: {schema}"
        each.update(more)
    if each:
        return each
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        one = {"type": "null"} if kind == "null" else {**schema, **({"type": kind} if kind else {})}
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values and kind != "null":
            one["enum"] = [value for value in values if value is not None]
        words = [kind or "anything", one.get("format"), *one.get("required", [])]
        each[name if name and kind != "null" else " ".join(filter(None, words))] = one
    return each


class Comparison:
    def __init__(self, old, new):
        self.old, self.new, self.told, self.seen = old, new, [], set()

    def tell(self, place, what):
        self.told.append(f"{place}: {what}")

    def differ(self, place, key, old, new):
        if old != new:
            self.tell(place, f"{key} was {old}, is {new}")

    def gone(self, place, old, new):
        """Tells what went; returns what both have."""
        for name in old:
            if name not in new:
                self.tell(place, f"{name} went")
        return [name for name in old if name in new]

    def documents(self):
        old, new = self.old, self.new
        self.differ("document", "servers", old["servers"], new["servers"])
        for part in ("schemas", "securitySchemes"):
            self.gone("document", old["components"].get(part, {}), new["components"].get(part, {}))
        befores, afters = operations(old), operations(new)
        for place in self.gone("document", befores, afters):
            before, after = befores[place], afters[place]
            self.differ(place, "operationId", before["operationId"], after["operationId"])
            self.differ(place, "security", before.get("security", old.get("security")),
                        after.get("security", new.get("security")))
            self.parameters(place, before["parameters"], after["parameters"])
            self.body(place, before.get("requestBody"), after.get("requestBody"))
            self.answers(place, before["responses"], after["responses"])

    def parameters(self, place, olds, news):
        for key in set(news) - set(olds):
            if news[key].get("required"):
                self.tell(place, f"{' '.join(key)} is new and required")
        for key in olds:
            name = " ".join(key)
            if key not in news:
                self.tell(place, f"{name} went")
                continue
            old, new = olds[key], news[key]
            if new.get("required") and not old.get("required"):
                self.tell(place, f"{name} is now required")
            for how in ("style", "explode"):
                self.differ(f"{place}: {name}", how, old.get(how), new.get(how))
            self.compare(f"{place}: {name}", old["schema"], new["schema"], True)

    def body(self, place, old, new):
        required = (new or {}).get("required")
        if old and not new:
            self.tell(place, "the body went")
        elif required and not (old or {}).get("required"):
            self.tell(place, "a body is now required")
        if old and new:
            self.contents(f"{place}: body", old, new, True)

    def answers(self, place, olds, news):
        """A client treats a status of 4xx or 5xx that it does not know by its first digit. It cannot treat
        one of 2xx so."""
        for status in self.gone(place, olds, news):
            old, new = found(self.old, olds[status]), found(self.new, news[status])
            at = f"{place}: {status}"
            headers = old.get("headers", {}), new.get("headers", {})
            for name in self.gone(at, *headers):
                one, other = (found(document, each[name]) for document, each in
                              zip((self.old, self.new), headers))
                self.compare(f"{at}: {name}", one["schema"], other["schema"], False)
            self.contents(at, old, new, False)
        for status in news:
            if status.startswith("2") and status not in olds:
                self.tell(place, f"{status} is new")

    def contents(self, place, old, new, sent):
        olds, news = old.get("content", {}), new.get("content", {})
        for kind in self.gone(place, olds, news):
            self.compare(place, olds[kind]["schema"], news[kind]["schema"], sent)

    def compare(self, place, old, new, sent):
        """Compares two schemas. What fits the old one must fit the new one if the client sends it. If docket
        answers it, what fits the new one must fit the old one."""
        if "$ref" in old and "$ref" in new:
            pair = old["$ref"], new["$ref"], sent
            if pair in self.seen:
                return
            self.seen.add(pair)
            place = name_of(old)
        olds, news = alternatives(self.old, old), alternatives(self.new, new)
        if len(olds) == len(news) == 1:
            self.values(place, *olds.values(), *news.values(), sent)
            return
        befores, afters = (document["components"]["schemas"] for document in (self.old, self.new))
        for name in olds:
            if name not in news:
                if sent:
                    self.tell(place, f"{name} went")
            elif name in befores:
                self.compare(place, *[{"$ref": f"#/components/schemas/{name}"}] * 2, sent)
            else:
                self.values(f"{place} ({name})", olds[name], news[name], sent)
        for name in news if not sent else []:
            # A new kind of record may come beside others.
            if name not in olds and not (name in afters and befores.keys() & olds.keys()):
                self.tell(place, f"may now be {name}")

    def values(self, place, old, new, sent):
        """Compares two schemas of one type."""
        less, more = (old, new) if sent else (new, old)  # what `more` says beyond `less` breaks a promise
        for key in FIXED:
            if key in more and more[key] != less.get(key):
                self.differ(place, key, old.get(key), new.get(key))
        if "enum" in more and "enum" not in less:
            self.differ(place, "enum", old.get("enum"), new.get("enum"))
        elif "enum" in old:
            self.gone(place, old["enum"], new.get("enum", old["enum"]))
        for code, row in old.get("x-problems", {}).items():
            self.differ(place, f"status of {code}", row["status"],
                        new.get("x-problems", {}).get(code, row)["status"])
        if sent:
            self.sent_values(place, old, new)
        if "items" in old or "items" in new:
            self.compare(f"{place}[]", old.get("items", {}), new.get("items", {}), sent)
        others = old.get("additionalProperties"), new.get("additionalProperties")
        if all(isinstance(one, dict) for one in others):
            self.compare(f"{place}.*", *others, sent)
        self.members(place, old, new, sent)

    def sent_values(self, place, old, new):
        """What can break only in requests. Limits in answers may become wider."""
        for key, sign in LIMITS.items():
            if sign * new.get(key, sign * math.inf) < sign * old.get(key, sign * math.inf):
                self.differ(place, key, old.get(key), new[key])
        if "default" in old:
            self.differ(place, "default", old["default"], new.get("default"))
        if new.get("readOnly") and not old.get("readOnly"):
            self.tell(place, "is now read-only")
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            self.tell(place, "unknown members are now refused")

    def members(self, place, old, new, sent):
        olds, news = old.get("properties", {}), new.get("properties", {})
        before, after = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(after - before if sent else (before - after) & news.keys()):
            self.tell(f"{place}.{name}", "is now required" if sent else "may now be missing")
        for name in self.gone(place, olds, news):
            self.compare(f"{place}.{name}", olds[name], news[name], sent)
