// SPDX-License-Identifier: MIT
// Uses the client that @hey-api/openapi-ts makes: node hey_api.js URL USER:PASSWORD
// test_generated.py compiles and runs it.
import { client } from "./client/client.gen";
import { createTask, getTask, listTasks, updateTask } from "./client/sdk.gen";
import type { Problem, Task } from "./client/types.gen";

declare const process: { argv: string[] };

async function main(): Promise<void> {
  const created = await createTask({
    body: {
      task: {
        casefile_id: 245, calendar_id: 1, due_on: "2027-02-14", title: "From a generated client",
        users_list: [1, 2], address: { city: "Denver", zip: 80202 },
      },
    },
  });
  // Only the answer to a dry run has no number.
  if (!created.data || created.data.id === null) throw new Error(created.error?.detail);
  const task: Task = created.data;

  const read = await getTask({ path: { id: task.id } });
  const status: "none" | "needs_action" | "in_progress" | "complete" | undefined = read.data?.status;

  const changed = await updateTask({
    path: { id: task.id },
    body: { task: { status: "in_progress", subject_id: null } },
  });

  const listed = await listTasks({
    query: {
      id: [task.id], status: ["none", "in_progress"], user: [1, "none"], due_from: "2027-02-14",
    },
  });
  const list: Task[] = Array.isArray(listed.data) ? listed.data : [];

  const wrong = await createTask({
    body: { task: { casefile_id: 999999, calendar_id: 1, due_on: "2027-02-14", title: "Of no case" } },
  });
  const problem: Problem | undefined = wrong.error;
  console.log(JSON.stringify({
    created: task, read: read.data, status, changed: changed.data, list,
    code: problem?.code, faults: problem?.errors?.map(({ field, code }) => [field, code]),
  }));
}

// The compiler must refuse these requests.
export function refused(): void {
  // @ts-expect-error fields that a create must have are missing
  void createTask({ body: { task: { casefile_id: 245 } } });
  // @ts-expect-error a mistyped filter
  void listTasks({ query: { statsu: ["none"] } });
  // @ts-expect-error no choice of the filter
  void listTasks({ query: { status: ["done"] } });
}

client.setConfig({ baseUrl: process.argv[2]!, auth: () => process.argv[3]! });
void main();
