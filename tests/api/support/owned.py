"""What one client knows of its tasks. Each answer says what is stored now; without an answer, one of two
states is."""
import hashlib

LONG = 64  # characters of a body that is kept as its digest


def shrunk(record):
    """The record with the digest of its body, if that is long."""
    if len(record.get("body") or "") <= LONG:
        return record
    return {**record, "body": hashlib.sha256(record["body"].encode()).hexdigest()}


def has(record, fields):
    """Whether a record, or None, has those fields, or is None like them."""
    if record is None or fields is None:
        return record is fields
    return fields.items() <= record.items()


class Owned:
    """The tasks of one client. It knows a task by its external id, which it uses once."""

    def __init__(self):
        self.records = {}  # external id → the record as it was answered last
        self.tags = {}     # external id → its entity tag, or None
        # Of each write without an answer: external id → fields or None before it, and after it.
        self.unsure = []

    def set(self, record, tag):
        self.records[record["external_id"]] = shrunk(record)
        self.tags[record["external_id"]] = tag

    def remove(self, external):
        """Returns the record, or None. Nothing is kept of it: a long proof removes very many."""
        self.tags.pop(external, None)
        return self.records.pop(external, None)

    def is_unsure(self, after):
        """A write may have made `after`, external id → fields or None, of these tasks, or nothing. The client
        must not use them again, because the write may still be under way."""
        self.unsure.append(({external: self.remove(external) for external in after},
                            {external: fields and shrunk(fields)
                             for external, fields in after.items()}))

    def check(self, stored):
        """Removes the client's tasks from `stored`, external id → record, and asserts that they are as the
        client knows."""
        for external, record in self.records.items():
            found = stored.pop(external, None)
            assert found == record, f"{external}: expected {record}, and found {found}"
        for before, after in self.unsure:
            found = {external: stored.pop(external, None) for external in after}
            assert any(all(has(found[external], fields) for external, fields in state.items())
                       for state in (before, after)), \
                f"expected {before} or {after}, and found {found}"
