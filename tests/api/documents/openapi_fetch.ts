// SPDX-License-Identifier: MIT
// Uses the types that openapi-typescript makes, with openapi-fetch: node openapi_fetch.js URL USER:PASSWORD
// test_generated.py compiles and runs it.
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./document";

type Task = components["schemas"]["Task"];
type Problem = components["schemas"]["Problem"];
declare const process: { argv: string[] };

function made(baseUrl: string, access: string): Client<paths> {
  return createClient<paths>({
    baseUrl,
    headers: { Authorization: `Basic ${btoa(access)}` },
    querySerializer: { array: { style: "form", explode: false } },
  });
}

async function main(client: Client<paths>): Promise<void> {
  const created = await client.POST("/api/v1/tasks", {
    body: {
      task: {
        casefile_id: 245, calendar_id: 1, due_on: "2027-02-14", title: "From a generated client",
        users_list: [1, 2], address: { city: "Denver", zip: 80202 },
      },
    },
  });
  // Only the answer to a dry run has no number.
  if (!created.data || !("id" in created.data)) throw new Error(created.error?.detail);
  const task: Task = created.data;

  const read = await client.GET("/api/v1/tasks/{id}", { params: { path: { id: task.id } } });
  const status: "none" | "needs_action" | "in_progress" | "complete" | undefined = read.data?.status;

  const changed = await client.PATCH("/api/v1/tasks/{id}", {
    params: { path: { id: task.id } },
    body: { task: { status: "in_progress", subject_id: null } },
  });

  const listed = await client.GET("/api/v1/tasks", {
    params: {
      query: {
        id: [task.id], status: ["none", "in_progress"], user: [1, "none"], due_from: "2027-02-14",
      },
    },
  });
  const list: Task[] = Array.isArray(listed.data) ? listed.data : [];

  const wrong = await client.POST("/api/v1/tasks", {
    body: { task: { casefile_id: 999999, calendar_id: 1, due_on: "2027-02-14", title: "Of no case" } },
  });
  const problem: Problem | undefined = wrong.error;
  console.log(JSON.stringify({
    created: task, read: read.data, status, changed: changed.data, list,
    code: problem?.code, faults: problem?.errors?.map(({ field, code }) => [field, code]),
  }));
}

// The compiler must refuse these requests.
export function refused(client: Client<paths>): void {
  // @ts-expect-error fields that a create must have are missing
  void client.POST("/api/v1/tasks", { body: { task: { casefile_id: 245 } } });
  // @ts-expect-error a mistyped filter
  void client.GET("/api/v1/tasks", { params: { query: { statsu: ["none"] } } });
  // @ts-expect-error no choice of the filter
  void client.GET("/api/v1/tasks", { params: { query: { status: ["done"] } } });
  // @ts-expect-error no path of docket
  void client.GET("/api/v1/task");
}

void main(made(process.argv[2]!, process.argv[3]!));
