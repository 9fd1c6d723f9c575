"""Requests of every kind, for a check of their answers. Each function is given
ask(method, target, body, status, headers), which sends a request and returns its answer."""
import described
import records


def of_record(ask, kind):
    """From its create to its history after the end."""
    created = ask("POST", kind.path, {kind.wrapper: records.least(kind)}, 201)
    one = f"{kind.path}/{created.json['id']}"
    ask("POST", f"{kind.path}?dry_run=1", {kind.wrapper: records.least(kind)})
    ask("POST", kind.path, {kind.wrapper: {"no_field": 1}}, 422)
    ask("GET", one)
    ask("HEAD", one)
    ask("GET", one, None, 304, {"If-None-Match": created.header("ETag")})
    ask("PATCH", one, {kind.wrapper: {"external_id": f"described {one}"}})
    ask("PATCH", one, {kind.wrapper: {"external_id": 5, "no_field": 1}}, 422)
    ask("PATCH", one, {kind.wrapper: {}}, 412, {"If-Match": '"1-0"'})
    ask("GET", kind.path)
    ask("GET", f"{kind.path}?per_page=1&sort=updated_at&dir=desc&updated_from=2026-01-01")
    ask("GET", f"{kind.path}?mode=count")
    ask("GET", f"{kind.path}?page=0&sort=x", None, 400)
    ask("GET", f"{one}/history?per_page=1")
    ask("DELETE", one, None, 204)
    ask("DELETE", one, None, 404)
    ask("GET", f"{one}/history")
    ask("GET", "/api/v1/changes")
    ask("OPTIONS", one, None, 204)


def of_task(ask):
    """What only tasks have: bulk requests, expansions, alerts."""
    task = {**records.least(records.TASK), "subject_id": 209, "case_service_id": 1, "users_list": [1, 2],
            "alert_at": "2099-01-01T00:00:00Z", "address": {"city": "Denver", "zip": "80202"}}
    number = ask("POST", "/api/v1/tasks", {"task": task}, 201).json["id"]
    operations = [{"create": task}, {"update": {"id": number, "status": "complete"}}]
    ask("POST", "/api/v1/tasks/bulk", {"operations": operations})
    ask("POST", "/api/v1/tasks/bulk?dry_run=1", {"operations": operations[:1]})
    ask("POST", "/api/v1/tasks/bulk", {"operations": [{"update": {"id": 999999, "status": "none"}}]}, 422)
    ask("GET", f"/api/v1/tasks/{number}?expand=case,calendar,subject,case_service,users")
    ask("GET", "/api/v1/tasks?expand=case,users&status=none,complete&user=1,none&due_to=2099-12-31")
    ask("GET", f"/api/v1/tasks/{number}/alerts")


def of_server(ask):
    """What belongs to no record."""
    for target in ("/api/v1/me", "/healthz", "/readyz", "/docs", "/docs/errors/busy", "/docs/style.css",
                   described.PATH):
        ask("GET", target)
    ask("GET", "/docs/errors/none", None, 404)
