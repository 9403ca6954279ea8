import { h } from "../lib/dom.js";
import { ApiError, get, patch, post, put } from "../lib/api.js";
import { askForm } from "../lib/dialogs.js";
import { operators } from "../lib/format.js";
import { live, mayCancel, mayRescale } from "../lib/live.js";
import { button, toast } from "../lib/ui.js";

/// Stop, cancel, savepoint, rescale: each asks first, then says what came of it.

const ended = new Set(["FINISHED", "CANCELED", "FAILED"]);

export function actions(job, hasBounds) {
  if (ended.has(job.state) || !mayCancel()) return null;
  const act = (work) => async () => {
    try { await work(job); } catch (error) { toast(error instanceof ApiError ? error.message : String(error), "bad"); }
    live.refresh();
  };
  return [
    button("Savepoint", { icon: "savepoint", onclick: act(savepoint) }),
    hasBounds && mayRescale() ? button("Rescale", { icon: "rescale", onclick: act(rescale) }) : null,
    button("Stop", { icon: "stop", onclick: act(stop) }),
    button("Cancel", { icon: "cancel", kind: "is-danger", onclick: act(cancel) }),
  ];
}

async function savepoint(job) {
  const values = await askForm("Take a savepoint", {
    text: "The job goes on meanwhile.", confirm: "Take it",
    fields: [{ name: "directory", title: "Folder", hint: "Empty: execution.checkpointing.savepoint-dir", placeholder: "s3://bucket/savepoints" }],
  });
  if (!values) return;
  const { "request-id": request } = await post(`jobs/${job.jid}/savepoints`, { "cancel-job": false, ...(values.directory ? { "target-directory": values.directory } : {}) });
  toast("The savepoint is on its way.");
  follow(job, request, "The savepoint is complete");
}

async function stop(job) {
  const values = await askForm(`Stop ${job.name}?`, {
    text: "A savepoint is taken, then the job ends. It can be started again from there.", confirm: "Stop it",
    fields: [
      { name: "directory", title: "Folder of the savepoint", hint: "Empty: execution.checkpointing.savepoint-dir", placeholder: "s3://bucket/savepoints" },
      { name: "drain", title: "Drain", kind: "check", value: false, hint: "Emits all open windows first, as if the input had ended. For jobs that will not be started again." },
    ],
  });
  if (!values) return;
  const { "request-id": request } = await post(`jobs/${job.jid}/stop`, { drain: values.drain === true, ...(values.directory ? { targetDirectory: values.directory } : {}) });
  toast("Stopping with a savepoint.");
  follow(job, request, "The job is stopped; its savepoint");
}

async function cancel(job) {
  const values = await askForm(`Cancel ${job.name}?`, { text: "The job ends at once, without a savepoint. What was written since its last checkpoint is not committed.", confirm: "Cancel the job", isDangerous: true });
  if (!values) return;
  await patch(`jobs/${job.jid}?mode=cancel`);
  toast("Cancelling.");
}

async function rescale(job) {
  const now = await get(`jobs/${job.jid}/resource-requirements`);
  const nameOf = (id) => operators(job.vertices.find((vertex) => vertex.id === id)?.name).join(" → ");
  const ids = job.vertices.map((vertex) => vertex.id).filter((id) => now[id]);
  const limit = (id) => { const most = job.vertices.find((vertex) => vertex.id === id)?.maxParallelism; return most > 0 ? most : 32768; };
  const values = await askForm(`Rescale ${job.name}`, {
    text: "The job gets at most so many subtasks of each vertex, as slots allow.", confirm: "Rescale",
    fields: ids.map((id) => ({ name: id, title: nameOf(id), kind: "number", min: 1, max: limit(id), value: String(now[id].parallelism.upperBound) })),
    check: (given) => {
      const wrong = ids.find((id) => !(Number.isInteger(Number(given[id])) && Number(given[id]) >= 1 && Number(given[id]) <= limit(id)));
      return wrong ? `${nameOf(wrong)}: a whole number from 1 to ${limit(wrong)}.` : null;
    },
  });
  if (!values) return;
  const wanted = Object.fromEntries(ids.map((id) => {
    const upperBound = Number(values[id]);
    return [id, { parallelism: { lowerBound: Math.min(now[id].parallelism.lowerBound, upperBound), upperBound } }];
  }));
  await put(`jobs/${job.jid}/resource-requirements`, wanted);
  toast("The new layout is on its way.");
}

/// Asks until the operation is over, for ten minutes at most.
async function follow(job, request, done) {
  for (let tries = 0; tries < 600; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    let answer;
    try { answer = await get(`jobs/${job.jid}/savepoints/${request}`); } catch (error) {
      if (error.status === 404) return;
      continue;
    }
    if (answer.status?.id !== "COMPLETED") continue;
    const failure = answer.operation?.["failure-cause"];
    toast(failure ? `It failed: ${String(failure["stack-trace"] ?? failure.class).split("\n")[0]}` : `${done}: ${answer.operation?.location ?? ""}`, failure ? "bad" : "good");
    live.refresh();
    return;
  }
}
