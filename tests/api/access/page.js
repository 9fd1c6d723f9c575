// The script of an agency's own page. test_cors_browser.py runs it in Chromium. The page sets `docket`,
// `token` and `next`.
const access = "Basic " + btoa("admin/token:" + token);
const exposed = ["ETag", "Location", "Link", "X-Request-Id", "Docket-Ignored", "Preference-Applied",
                 "Allow"];

async function call(method, path, value, headers = {}, options = {}) {
  try {
    const answer = await fetch(new URL(path, docket), {
      method, ...options, headers: headers ? { Authorization: access, ...headers } : {},
      body: value && JSON.stringify(value),
    });
    const text = await answer.text();
    return {
      status: answer.status, body: text && JSON.parse(text),
      headers: Object.fromEntries(exposed.map((name) => [name, answer.headers.get(name)])),
    };
  } catch (error) {
    return { blocked: String(error) };
  }
}

async function run() {
  const tasks = "/api/v1/tasks", json = { "Content-Type": "application/json" };
  const task = { casefile_id: 245, calendar_id: 1, due_on: "2027-02-14", title: "Of a page" };
  const said = {};
  said.created = await call("POST", tasks, { task: { ...task, unknown: 1 } }, {
    ...json, "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : String(Math.random()),
    Prefer: "handling=lenient" });
  const path = said.created.headers?.Location ?? tasks + "/1";
  const tag = said.created.headers?.ETag ?? '"1-1"';
  said.unchanged = await call("GET", path, undefined, { "If-None-Match": tag });
  said.changed = await call("PATCH", path, { task: { title: "Changed" } },
                            { ...json, "If-Match": tag });
  said.stale = await call("PATCH", path, { task: { title: "Late" } }, { ...json, "If-Match": tag });
  said.page = await call("GET", tasks + "?per_page=1");
  said.wrong = await call("POST", tasks, { task: { title: " " } }, json);
  said.refused = await call("GET", tasks, undefined, { Authorization: "Basic " + btoa("a:b") });
  said.nowhere = await call("PATCH", "/nowhere", {}, json);
  // The framing guard would refuse a preflight for this target too. Without Authorization the browser sends none.
  said.guarded = await call("GET", tasks + "/%zz", undefined, null);
  said.method = await call("POST", path, {}, json);
  said.header = await call("GET", tasks, undefined, { "X-Of-A-Page": "1" });
  said.credentials = await call("GET", tasks, undefined, {}, { credentials: "include" });
  said.deleted = await call("DELETE", path);
  await fetch("/said", { method: "POST", body: JSON.stringify(said) });
  if (next) location.href = next;
}
run();
