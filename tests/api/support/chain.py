"""The chain of the history, written from docs/history.md and independent of docket's code."""
import hashlib


def columns(database):
    return database.execute(
        "SELECT account_id, change, at, staff_id, record, record_id, action, value, request_id,"
        " hash FROM history ORDER BY account_id, change").fetchall()


def digest_of(row, before):
    """The hash of an entry, by the formula of docs/history.md."""
    def number(value):
        return value.to_bytes(8, "little", signed=True)

    def text(value):
        return number(-1) if value is None else number(len(value.encode())) + value.encode()

    account, change, at, staff, record, record_id, action, value, request, _ = row
    return hashlib.blake2b(
        before + number(account) + number(change) + number(at) + number(staff or 0) +
        text(record) + number(record_id) + text(action) + text(value) + text(request),
        digest_size=32).digest()


def rechain(database):
    """Computes all hashes anew, so that the chain fits the present entries."""
    heads = {}
    for row in columns(database):
        heads[row[0]] = digest_of(row, heads.get(row[0], bytes(32)))
        database.execute("UPDATE history SET hash = ? WHERE account_id = ? AND change = ?",
                         (heads[row[0]], row[0], row[1]))
    for account, head in heads.items():
        database.execute("UPDATE account_state SET history_head = ? WHERE account_id = ?",
                         (head, account))
