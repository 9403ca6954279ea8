import { h } from "../lib/dom.js";
import { getOrNothing } from "../lib/api.js";
import { clock, duration, moment, operators, words } from "../lib/format.js";
import { lanes } from "../lib/lanes.js";
import { live } from "../lib/live.js";
import { choice, empty, panel } from "../lib/ui.js";

/// When the job and each vertex was in which state; a vertex opens to its subtasks.

const order = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "RESTARTING", "FAILING", "CANCELLING", "CANCELING", "RECONCILING", "SUSPENDED", "FINISHED", "CANCELED", "FAILED"];
const tones = { CREATED: "quiet", SCHEDULED: "quiet", DEPLOYING: "warm", INITIALIZING: "warm", RUNNING: "good", RESTARTING: "warm", FAILING: "bad", FAILED: "bad", CANCELLING: "quiet", CANCELING: "quiet", CANCELED: "quiet", FINISHED: "cool", RECONCILING: "warm", SUSPENDED: "quiet" };
let opened = null;
let part = "all";

export const timelineTab = {
  async load(job) {
    const vertex = job.vertices.find((each) => each.id === opened);
    const [times, exceptions, rescales, past] = await Promise.all([
      vertex ? getOrNothing(`jobs/${job.jid}/vertices/${vertex.id}/subtasktimes`) : undefined,
      getOrNothing(`jobs/${job.jid}/exceptions?maxExceptions=100`), getOrNothing(`jobs/${job.jid}/rescales/history`),
      // No points, but the job's course.
      getOrNothing(`jobs/${job.jid}/history?since=${job.now ?? Date.now()}`),
    ]);
    return { times, exceptions, rescales, course: Array.isArray(past?.course) ? past.course : [] };
  },

  view({ job, figures: { times, exceptions, rescales, course } }) {
    const now = job.now ?? Date.now();
    const end = job["end-time"] > 0 ? job["end-time"] : now;
    const from = job["start-time"];
    const marks = [
      ...(exceptions?.exceptionHistory?.entries ?? []).map((entry) => ({ at: entry.timestamp, tone: "bad", text: String(entry.stacktrace).split("\n")[0].slice(0, 200) })),
      ...(Array.isArray(rescales) ? rescales : []).map((each) => ({ at: each.startTimestampInMillis, tone: "warm", text: `new layout: ${words(each.triggerCause)}` })),
    ];
    const items = [{ id: "job", title: "Job", detail: words(job.state), spans: course.length > 0 ? courseOf(course, end) : spansOf(job.timestamps, end), marks }];
    const before = earlier(course);
    for (const vertex of job.vertices) {
      const start = vertex["start-time"] > 0 ? vertex["start-time"] : null;
      items.push({
        id: vertex.id, title: `${opened === vertex.id ? "▾" : "▸"} ${operators(vertex.name).join(" → ")}`, detail: words(vertex.status),
        spans: start ? [...before, { from: start, to: vertex["end-time"] > 0 ? vertex["end-time"] : end, tone: tones[vertex.status] ?? "quiet", label: words(vertex.status), text: `${words(vertex.status)} since ${moment(start)}` }] : [],
        onclick: () => { opened = opened === vertex.id ? null : vertex.id; live.refresh(); live.redraw(); },
      });
      if (opened === vertex.id) for (const subtask of times?.id === vertex.id ? times.subtasks : []) items.push({
        id: `${vertex.id} ${subtask.subtask}`, title: `   subtask ${subtask.subtask}`, detail: subtask.endpoint, spans: [...before, ...spansOf(subtask.timestamps, end, before.length > 0 ? subtask.timestamps.RUNNING : 1)],
      });
      if (opened === vertex.id && !times) items.push({ id: `${vertex.id} none`, title: "   this server does not tell the times of subtasks", spans: [] });
    }
    if (!(from > 0)) return empty("The job has not started.");
    const [first, last] = { all: [from, Math.max(end, from + 1000)], start: [from, Math.min(end, from + 20_000)], hour: [Math.max(from, end - 3_600_000), end] }[part];
    return panel("Timeline", { tools: choice("Part", [{ id: "all", title: "All" }, { id: "start", title: "Start" }, { id: "hour", title: "Last hour" }], part, (id) => { part = id; live.redraw(); }) }, h("p", { class: "quiet" }, `${moment(from)} to ${job["end-time"] > 0 ? moment(end) : "now"}, ${duration(end - from)}. Marks on the job are failures and new layouts.`), lanes({ from: first, to: last, items }));
  },
};

/// Each time that the job entered a state, until the next.
function courseOf(course, end) {
  return course.map(({ state, at }, index) => span(state, at, course[index + 1]?.at ?? end));
}

/// When tasks ran before the last start.
function earlier(course) {
  return course.flatMap(({ state, at }, index) => (state === "RUNNING" ? [span(state, at, course[index + 1]?.at ?? at)] : [])).slice(0, -1);
}

function span(name, from, until) {
  const to = Math.max(from, until);
  return { from, to, tone: tones[name] ?? "quiet", label: words(name), text: `${words(name)} at ${clock(from, true)} for ${duration(to - from)}` };
}

/// The states in the order they were entered, from `first` on; each lasts until the next.
function spansOf(timestamps, end, first = 1) {
  const entered = Object.entries(timestamps ?? {}).filter(([, at]) => at >= first).sort((left, right) => left[1] - right[1] || order.indexOf(left[0]) - order.indexOf(right[0]));
  return entered.map(([name, at], index) => span(name, at, entered[index + 1]?.[1] ?? end));
}
