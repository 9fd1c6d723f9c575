"""The ledger of alerts, read from the database."""
import datetime
import time

from backends import rows

STATES = ["waiting", "leased", "sent", "failed", "skipped", "cancelled"]
REASONS = ["", "no_mail_server", "staff_disabled", "no_address", "too_late", "refused", "given_up",
           "alert_moved", "unassigned", "task_completed", "task_deleted", "by_command",
           "zone_missing", "capped", "retry", "perhaps_sent", "bad_address"]
DAY = 24 * 60 * 60


def stamp(seconds):
    """A time as the API writes it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def now():
    return int(time.time())


def ledger(place, task):
    """(staff, alert time) → state and reason, of the rows of a task."""
    return {(staff, at): (STATES[state], REASONS[reason]) for staff, at, state, reason in rows(
        place, "SELECT staff_id, alert_at, state, reason FROM alert WHERE task_id = ?", (task,))}
