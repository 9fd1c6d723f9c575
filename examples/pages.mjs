// SPDX-License-Identifier: MIT
// Creates a task, then reads all tasks, page by page: node pages.mjs URL USERNAME TOKEN-FILE
import { readFileSync } from "node:fs";

const [base, username, tokenFile] = process.argv.slice(2);
const token = readFileSync(tokenFile, "utf8").trim();
const headers = {
  Authorization: "Basic " + Buffer.from(`${username}/token:${token}`).toString("base64"),
};

async function call(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { ...headers, ...options.headers } });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer;
}

const created = await call(base + "/api/v1/tasks", {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({
    task: { casefile_id: 245, calendar_id: 1, due_on: "2027-02-14", title: "From Node" },
  }),
});
// Location and Link are paths: resolve them against the URL of the request.
console.log("created", new URL(created.headers.get("Location"), created.url).href);

let tasks = 0, pages = 0;
for (let url = base + "/api/v1/tasks?per_page=50"; url; ) {
  const answer = await call(url);
  tasks += (await answer.json()).length;
  pages += 1;
  const next = /<([^>]*)>; rel="next"/.exec(answer.headers.get("Link"));
  url = next && new URL(next[1], answer.url);
}
console.log(`${tasks} tasks on ${pages} pages`);
