"""The chain of the history, written from docs/history.md and independent of docket's code. With `plain`
it is the chain of schemas 4 to 10, which covers the values themselves."""
import hashlib


def columns(database, plain=False):
    more = "NULL, NULL" if plain else "salt, digest"
    return database.execute(
        "SELECT account_id, change, at, staff_id, record, record_id, action, value, request_id,"
        f" {more}, hash FROM history ORDER BY account_id, change").fetchall()


def digest_of_value(salt, value):
    return hashlib.blake2b(bytes(salt) + value.encode(), digest_size=32).digest()


def digest_of(row, before, plain=False):
    """The hash of an entry, by the formula of docs/history.md."""
    def number(value):
        return value.to_bytes(8, "little", signed=True)

    def text(value):
        value = value.encode() if isinstance(value, str) else value
        return number(-1) if value is None else number(len(value)) + value

    account, change, at, staff, record, record_id, action, value, request, salt, digest, _ = row
    if not plain:
        value = digest if value is None else digest_of_value(salt, value)
    return hashlib.blake2b(
        before + number(account) + number(change) + number(at) + number(staff or 0) +
        text(record) + number(record_id) + text(action) + text(value) + text(request),
        digest_size=32).digest()


def rechain(database, plain=False):
    """Computes all hashes anew, so that the chain fits the present entries."""
    heads = {}
    for row in columns(database, plain):
        heads[row[0]] = digest_of(row, heads.get(row[0], bytes(32)), plain)
        database.execute("UPDATE history SET hash = ? WHERE account_id = ? AND change = ?",
                         (heads[row[0]], row[0], row[1]))
    for account, head in heads.items():
        database.execute("UPDATE account_state SET history_head = ? WHERE account_id = ?",
                         (head, account))
