import { h } from "../lib/dom.js";
import { getOrNothing, getIfThere } from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { ago, bytes, clock, dash, duration, isNumber, moment, number, operators, whole } from "../lib/format.js";
import { go, link } from "../lib/live.js";
import { empty, meter, pairs, panel, stat, state, stats, table, tabs } from "../lib/ui.js";
import { icon } from "../lib/icons.js";

/// Checkpoints: what they took, how large they are, and each one down to its subtasks.

/// Charts have what the server keeps of the last hour, and what this page saw, by job.
const seen = new Map();

export const checkpointsTab = {
  async load(job, [part, id, vertex]) {
    const base = `jobs/${job.jid}/checkpoints`;
    const wanted = part && !["summary", "options"].includes(part) ? part : null;
    const [answer, config, details, subtasks] = await Promise.all([
      getIfThere(base), getOrNothing(`${base}/config`), wanted ? getIfThere(`${base}/details/${encodeURIComponent(wanted)}`) : undefined,
      wanted && id ? getIfThere(`${base}/details/${encodeURIComponent(wanted)}/subtasks/${encodeURIComponent(id)}`) : undefined,
    ]);
    if (answer) answer.history ??= [];
    const known = seen.get(job.jid) ?? seen.set(job.jid, new Map()).get(job.jid);
    for (const each of answer?.history ?? []) known.set(each.id, each);
    while (known.size > 1200) known.delete(known.keys().next().value);
    return { answer, config, details, subtasks, vertex };
  },

  view({ job, history: past, figures: { answer, config, details, subtasks }, parameters: [part, vertex] }) {
    if (!answer?.counts) return empty("This server does not tell about checkpoints.");
    if (part && !["summary", "options"].includes(part)) return one(job, part, vertex, details, subtasks);
    const item = (id, title) => ({ id: id ?? "history", title, href: link("jobs", job.jid, "checkpoints", id) });
    const views = { history, summary, options };
    return [
      overview(answer), tabs("Checkpoints", [item(undefined, "History"), item("summary", "Summary"), item("options", "Options")], part ?? "history"),
      h("div", { class: "tab", key: `checkpoints ${part}` }, views[part ?? "history"]({ job, past, answer, config })),
    ];
  },
};

function overview({ counts, latest }) {
  const completed = latest?.completed;
  const restored = latest?.restored;
  const failed = latest?.failed;
  const savepoint = latest?.savepoint;
  return panel(null, { class: "is-plain" }, stats(
    stat("Completed", whole(counts.completed), counts.in_progress > 0 ? `${counts.in_progress} in progress` : null), stat("Failed", whole(counts.failed), null, counts.failed > 0 ? "bad" : null),
    stat("Restored", whole(counts.restored), restored ? `from ${restored.is_savepoint ? "savepoint" : "checkpoint"} ${restored.id}, ${ago(restored.restore_timestamp)}` : null),
    stat("Newest", completed ? `#${completed.id}` : dash, completed ? `${ago(completed.latest_ack_timestamp > 0 ? completed.latest_ack_timestamp : completed.trigger_timestamp)}, ${duration(completed.end_to_end_duration)}, ${bytes(completed.checkpointed_size)}` : "none is complete yet"),
    savepoint ? stat("Newest savepoint", `#${savepoint.id}`, savepoint.external_path) : null,
    failed ? stat("Last failure", `#${failed.id}`, failed.failure_message ?? ago(failed.failure_timestamp ?? failed.trigger_timestamp), "bad") : null));
}

function history({ job, past, answer }) {
  const all = [...(seen.get(job.jid)?.values() ?? answer.history)].sort((left, right) => left.id - right.id);
  const known = new Map(past.checkpoints.map((each) => [each.id, { checkpointed_size: each.state_size, ...each }]));
  for (const each of all) if (each.status === "COMPLETED") known.set(each.id, each);
  const completed = [...known.values()].sort((left, right) => left.id - right.id);
  const from = Math.max(completed[0]?.trigger_timestamp ?? 0, (job.now ?? Date.now()) - 3_600_000);
  const to = Math.max(from + 1000, completed.at(-1)?.trigger_timestamp ?? from);
  const line = (name) => completed.map((each) => ({ at: each.trigger_timestamp, value: number(each[name]) }));
  const marks = all.filter((each) => each.status === "FAILED").map((each) => ({ at: each.trigger_timestamp, text: `checkpoint ${each.id} failed`, tone: "bad" }));
  const longest = Math.max(1, ...answer.history.map((each) => each.end_to_end_duration ?? 0));
  return [
    completed.length > 1 ? h("div", { class: "charts" },
      chart({ id: "durations", title: "Duration", format: duration, from, to, marks, series: [{ name: "end to end", tone: "accent", points: line("end_to_end_duration") }] }),
      chart({ id: "sizes", title: "Size", format: bytes, from, to, marks, series: [{ name: "written", tone: "accent", points: line("checkpointed_size") }, { name: "whole state", tone: "cool", points: line("state_size") }] })) : null,
    table({
      id: "Checkpoints", rows: answer.history, key: (each) => each.id, href: (each) => link("jobs", job.jid, "checkpoints", each.id), none: "No checkpoint was taken yet.",
      columns: [
        { title: "Id", value: (each) => each.id, isNumber: true }, { title: "State", value: (each) => each.status, cell: (each) => state(each.status) },
        { title: "Kind", value: (each) => each.checkpoint_type, cell: kind }, { title: "Triggered", value: (each) => each.trigger_timestamp, cell: (each) => clock(each.trigger_timestamp), isNumber: true },
        { title: "Acknowledged", value: (each) => each.num_acknowledged_subtasks, cell: (each) => `${each.num_acknowledged_subtasks} of ${each.num_subtasks}`, isNumber: true },
        { title: "Duration", value: (each) => each.end_to_end_duration, cell: (each) => meter(each.end_to_end_duration / longest, duration(each.end_to_end_duration)) },
        { title: "Written", value: (each) => each.checkpointed_size, cell: (each) => bytes(each.checkpointed_size), isNumber: true }, { title: "Whole state", value: (each) => each.state_size, cell: (each) => bytes(each.state_size), isNumber: true },
        answer.history.some((each) => each.failure_message) ? { title: "Why it failed", value: (each) => each.failure_message ?? "", isWide: true } : null,
      ],
    }),
  ];
}

const kind = (each) => ({ CHECKPOINT: "checkpoint", UNALIGNED_CHECKPOINT: "unaligned checkpoint", SAVEPOINT: "savepoint", SYNC_SAVEPOINT: "stop with savepoint" })[each.checkpoint_type] ?? (each.is_savepoint ? "savepoint" : "checkpoint");

const quantiles = ["min", "avg", "p50", "p90", "p95", "p99", "max"];

function spread(title, rows) {
  return h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": title }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, title), quantiles.map((name) => h("th", { class: "is-number", scope: "col" }, name)))),
    h("tbody", {}, rows.filter(([, values]) => values).map(([name, values, format]) => h("tr", {}, h("td", {}, name), quantiles.map((each) => h("td", { class: "is-number" }, isNumber(number(values[each])) ? format(values[each]) : dash)))))));
}

function summary({ answer: { summary: figures } }) {
  if (!figures) return empty("No summary.");
  return spread("Completed checkpoints", [
    ["Duration", figures.end_to_end_duration, duration], ["Written", figures.checkpointed_size, bytes], ["Whole state", figures.state_size, bytes],
    ["Read while aligning", figures.processed_data, bytes], ["Stored in flight", figures.persisted_data, bytes],
  ]);
}

function options({ config }) {
  if (!config) return empty("This server does not tell how checkpoints are configured.");
  const off = config.interval > 1e15;
  return pairs([
    ["Checkpoints", off ? "off" : `every ${duration(config.interval)}`], ["Mode", String(config.mode).replaceAll("_", " ")], ["Timeout", duration(config.timeout)], ["Least pause", duration(config.min_pause)],
    ["At once", whole(config.max_concurrent)], ["Tolerated failures", whole(config.tolerable_failed_checkpoints)], ["Unaligned", config.unaligned_checkpoints ? "yes" : "no"],
    ["Kept after cancellation", config.externalization?.enabled && !config.externalization?.delete_on_cancellation ? "yes" : "no"], ["State backend", config.state_backend], ["Storage", config.checkpoint_storage],
    ["After tasks finish", config.checkpoints_after_tasks_finish ? "yes" : "no"],
  ]);
}

function one(job, id, vertex, details, subtasks) {
  const back = h("a", { class: "tool", href: link("jobs", job.jid, "checkpoints"), title: "Back", "aria-label": "Back to all checkpoints" }, icon("cancel"));
  if (!details) return panel(`Checkpoint ${id}`, { tools: back }, empty("The server has no details of it any more.", h("a", { href: link("jobs", job.jid, "checkpoints") }, "All checkpoints")));
  const rows = job.vertices.filter((each) => details.tasks?.[each.id]).map((each) => ({ ...details.tasks[each.id], vertex: each }));
  return panel(`Checkpoint ${id}`, { key: `checkpoint ${id}`, tools: back },
    stats(
      stat("State", state(details.status), kind(details)), stat("Triggered", clock(details.trigger_timestamp, true), moment(details.trigger_timestamp)), stat("Duration", duration(details.end_to_end_duration)),
      stat("Written", bytes(details.checkpointed_size), `whole state ${bytes(details.state_size)}`), stat("Acknowledged", `${details.num_acknowledged_subtasks} of ${details.num_subtasks}`)),
    details.failure_message ? h("p", { class: "trouble" }, icon("warning"), details.failure_message) : null,
    details.external_path ? pairs([["Path", h("code", {}, details.external_path)], details.discarded ? ["Kept", "no: a newer one took its place"] : null]) : null,
    rows.length > 0 ? table({
      id: "Vertices of the checkpoint", rows, key: (row) => row.vertex.id, href: (row) => link("jobs", job.jid, "checkpoints", id, row.vertex.id === vertex ? undefined : row.vertex.id),
      columns: [
        { title: "Vertex", value: (row) => row.vertex.name, cell: (row) => operators(row.vertex.name).join(" → "), isWide: true },
        { title: "Acknowledged", value: (row) => row.num_acknowledged_subtasks, cell: (row) => `${row.num_acknowledged_subtasks} of ${row.num_subtasks}`, isNumber: true },
        { title: "Last at", value: (row) => row.latest_ack_timestamp, cell: (row) => clock(row.latest_ack_timestamp, true), isNumber: true },
        { title: "Duration", value: (row) => row.end_to_end_duration, cell: (row) => meter(row.end_to_end_duration / Math.max(1, details.end_to_end_duration), duration(row.end_to_end_duration)) },
        { title: "Written", value: (row) => row.checkpointed_size, cell: (row) => bytes(row.checkpointed_size), isNumber: true },
        { title: "Whole state", value: (row) => row.state_size, cell: (row) => bytes(row.state_size), isNumber: true },
      ],
      expand: (row) => (row.vertex.id === vertex ? subtaskTable(subtasks, details) : null),
    }) : h("p", { class: "quiet" }, "No details by vertex."));
}

function subtaskTable(answer, details) {
  if (!answer) return empty("This server has no figures of single subtasks.");
  const figures = answer.summary;
  return [
    table({
      id: "Subtasks of the checkpoint", rows: answer.subtasks ?? [], key: (row) => row.index, none: "No subtask has acknowledged yet.",
      columns: [
        { title: "Subtask", value: (row) => row.index, isNumber: true }, { title: "State", value: (row) => row.status, cell: (row) => state(String(row.status).toUpperCase()) },
        { title: "Acknowledged", value: (row) => row.ack_timestamp, cell: (row) => clock(row.ack_timestamp, true), isNumber: true },
        { title: "Duration", value: (row) => row.end_to_end_duration, cell: (row) => meter(row.end_to_end_duration / Math.max(1, details.end_to_end_duration), duration(row.end_to_end_duration)) },
        { title: "Barrier came after", value: (row) => row.start_delay, cell: (row) => duration(row.start_delay), isNumber: true }, { title: "Aligning", value: (row) => row.alignment?.duration, cell: (row) => duration(row.alignment?.duration), isNumber: true },
        { title: "Read meanwhile", value: (row) => row.alignment?.processed, cell: (row) => bytes(row.alignment?.processed), isNumber: true }, { title: "Sync", value: (row) => row.checkpoint?.sync, cell: (row) => duration(row.checkpoint?.sync), isNumber: true },
        { title: "Async", value: (row) => row.checkpoint?.async, cell: (row) => duration(row.checkpoint?.async), isNumber: true }, { title: "Written", value: (row) => row.checkpointed_size, cell: (row) => bytes(row.checkpointed_size), isNumber: true },
      ],
    }),
    figures ? spread("Over the subtasks", [["Duration", figures.end_to_end_duration, duration], ["Barrier came after", figures.start_delay, duration], ["Aligning", figures.alignment?.duration, duration], ["Written", figures.checkpointed_size, bytes]]) : null,
  ];
}
