import { h } from "../lib/dom.js";
import { get, getIfThere } from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { bytes, bytesPerSecond, count, dash, duration, isNumber, moment, number, operators, perSecond, percent, planText, whole } from "../lib/format.js";
import { flame } from "../lib/flame.js";
import { load } from "../lib/graph.js";
import { lag } from "../lib/history.js";
import { icon } from "../lib/icons.js";
import { link, live } from "../lib/live.js";
import { choice, empty, filter, meter, panel, pairs, stat, state, stats, table, tabs } from "../lib/ui.js";
import { keyGroups } from "./key-groups.js";

/// One vertex: a tab for each question about its subtasks.

const flameView = { type: "on_cpu", subtask: null, path: [], text: "" };
const metricsView = { find: "", chosen: new Map() };

/// What each tab asks for: {path under the vertex: …}. All of them are Flink's but for `key-groups`.
export async function loadVertex(job, vertex, tab = "subtasks", before) {
  const base = `jobs/${job.jid}/vertices/${encodeURIComponent(vertex)}`;
  const details = await get(base);
  for (const subtask of details.subtasks ??= []) subtask.metrics ??= {};
  const rates = subtaskRates(details, before);
  const more = {
    subtasks: async () => ({}),
    charts: async () => ({}),
    watermarks: async () => ({ watermarks: await getIfThere(`${base}/watermarks`) }),
    backpressure: async () => ({ backpressure: await getIfThere(`${base}/backpressure`) }),
    keys: async () => ({ groups: await getIfThere(`${base}/key-groups`), skew: await getIfThere(`${base}/subtasks/metrics?get=numRecordsIn,numRecordsOut`) }),
    flame: async () => ({ flame: await getIfThere(`${base}/flamegraph?type=${flameView.type}${flameView.subtask === null ? "" : `&subtaskindex=${flameView.subtask}`}`) }),
    taskmanagers: async () => ({ taskmanagers: await getIfThere(`${base}/taskmanagers`) }),
    metrics: async () => loadMetrics(base, before),
    plan: async () => ({ chain: await loadChain(base, details) }),
  }[tab];
  return { tab, details, rates, ...(await more?.()) };
}

/// Rows of each operator of the chain, over all subtasks; empty where they are not told apart.
async function loadChain(base, { name }) {
  const figures = ["numRecordsIn", "numRecordsOut", "numRecordsInPerSecond", "numRecordsOutPerSecond", "numLateRecordsDropped", "stateSizeBytes"];
  const parts = String(name ?? "").split(" -> ").map((title) => ({ title, prefix: `${title.replace(/[ .:,]/g, "_")}.` }));
  const answer = await getIfThere(`${base}/subtasks/metrics?agg=sum&get=${parts.flatMap(({ prefix }) => figures.map((figure) => encodeURIComponent(prefix + figure))).join(",")}`);
  const sums = new Map((answer ?? []).map((entry) => [entry.id, number(entry.sum)]));
  return parts.filter(({ prefix }) => sums.has(`${prefix}numRecordsIn`)).map(({ title, prefix }) => ({ title, ...Object.fromEntries(figures.map((figure) => [figure, sums.get(prefix + figure) ?? null])) }));
}

/// Rates of subtasks from two answers; the first look has none.
function subtaskRates(details, before) {
  const samples = [...(before?.rates.samples ?? []), details].slice(-4);
  const first = samples[0];
  const milliseconds = details.now - first.now;
  const of = new Map();
  if (milliseconds > 0) for (const subtask of details.subtasks) {
    const earlier = first.subtasks.find((each) => each.subtask === subtask.subtask && each.attempt === subtask.attempt);
    if (!earlier) continue;
    const delta = (name) => (number(subtask.metrics[name]) ?? 0) - (number(earlier.metrics[name]) ?? 0);
    const times = ["busy", "backpressured", "idle"].map((name) => Math.max(0, delta(`accumulated-${name}-time`)));
    const all = times[0] + times[1] + times[2];
    of.set(subtask.subtask, {
      in: Math.max(0, delta("read-records") * 1000 / milliseconds), out: Math.max(0, delta("write-records") * 1000 / milliseconds),
      ...(all > 0 ? { busy: times[0] / all, backpressured: times[1] / all, idle: times[2] / all } : {}),
    });
  }
  return { samples, of };
}

async function loadMetrics(base, before) {
  const names = before?.names ?? await getIfThere(`${base}/subtasks/metrics`);
  const wanted = [...metricsView.chosen.keys()];
  const values = names && wanted.length > 0 ? await getIfThere(`${base}/subtasks/metrics?get=${wanted.map(encodeURIComponent).join(",")}`) : [];
  const at = Date.now();
  for (const value of values ?? []) metricsView.chosen.get(value.id)?.push({ at, value: number(value.sum), most: number(value.max), least: number(value.min) });
  return { names };
}

export function vertexPanel({ job, vertex, node, tab = "subtasks", history, chosen }) {
  if (!vertex) return panel("No such vertex", {}, h("a", { href: link("jobs", job.jid) }, "Back to the graph"));
  const to = (name) => link("jobs", job.jid, "graph", vertex.id, name === "subtasks" ? undefined : name);
  const figures = history.now(vertex.id);
  const views = { subtasks, charts, watermarks, backpressure, keys, flame: flameTab, taskmanagers, metrics, plan };
  const body = chosen?.tab === tab ? views[tab]?.({ job, vertex, node, chosen, history }) ?? empty("There is no such tab.") : h("div", { class: "skeleton" }, h("i"));
  return panel(operators(vertex.name).join(" → "), { class: "is-vertex", key: vertex.id, tools: h("a", { class: "tool", href: link("jobs", job.jid), title: "Close", "aria-label": "Close the vertex" }, icon("cancel")) },
    stats(
      stat("State", state(vertex.status), `parallelism ${vertex.parallelism}${vertex.maxParallelism > 0 ? ` of ${vertex.maxParallelism}` : ""}`),
      stat("In", perSecond(figures.in), `${count(vertex.metrics["read-records"])} rows`), stat("Out", perSecond(figures.out), `${count(vertex.metrics["write-records"])} rows`),
      stat("Behind", duration(figures.lag), isNumber(figures.pending) ? `${count(figures.pending)} rows waiting` : vertex.splits ? `${vertex.splits["handed-out"]} of ${vertex.splits.known} splits read` : null),
      h("div", { class: "stat is-load" }, h("dt", {}, "Load"), h("dd", {}, load(figures)))),
    tabs("Vertex", [
      { id: "subtasks", title: "Subtasks" }, { id: "charts", title: "Charts" }, { id: "watermarks", title: "Watermarks" }, { id: "backpressure", title: "Backpressure" }, { id: "keys", title: "Key groups" },
      { id: "flame", title: "Flame graph" }, { id: "taskmanagers", title: "TaskManagers" }, { id: "metrics", title: "Metrics" }, { id: "plan", title: "Plan" },
    ].map((item) => ({ ...item, href: to(item.id) })), tab),
    h("div", { class: "tab", key: `vertex ${tab}` }, body));
}

function subtasks({ chosen: { details, rates } }) {
  const most = Math.max(1, ...details.subtasks.map((subtask) => subtask.metrics["read-records"] || subtask.metrics["write-records"] || 0));
  const busiest = (subtask) => rates.of.get(subtask.subtask);
  return table({
    id: "Subtasks", rows: details.subtasks, key: (subtask) => `${subtask.subtask} ${subtask.attempt}`,
    columns: [
      { title: "Subtask", value: (subtask) => subtask.subtask, isNumber: true },
      { title: "State", value: (subtask) => subtask.status, cell: (subtask) => state(subtask.status) },
      { title: "Attempt", value: (subtask) => subtask.attempt, isNumber: true },
      { title: "TaskManager", value: (subtask) => subtask["taskmanager-id"], cell: (subtask) => (/^\(/.test(subtask["taskmanager-id"] ?? "(") ? dash : h("a", { href: link("taskmanagers", subtask["taskmanager-id"]) }, subtask["taskmanager-id"])) },
      { title: "Load", value: (subtask) => busiest(subtask)?.busy ?? null, cell: (subtask) => (busiest(subtask) ? load(busiest(subtask)) : dash) },
      { title: "Rows in", value: (subtask) => subtask.metrics["read-records"], cell: (subtask) => meter(subtask.metrics["read-records"] / most, count(subtask.metrics["read-records"])), isNumber: true },
      { title: "Rows out", value: (subtask) => subtask.metrics["write-records"], cell: (subtask) => count(subtask.metrics["write-records"]), isNumber: true },
      { title: "Rate in", value: (subtask) => busiest(subtask)?.in ?? null, cell: (subtask) => perSecond(busiest(subtask)?.in), isNumber: true },
      details.subtasks.some((subtask) => isNumber(subtask.metrics["state-bytes"])) ? { title: "State", value: (subtask) => subtask.metrics["state-bytes"], cell: (subtask) => bytes(subtask.metrics["state-bytes"]), isNumber: true } : null,
      details.subtasks.some((subtask) => subtask.duration > 0) ? { title: "Running for", value: (subtask) => subtask.duration, cell: (subtask) => duration(subtask.duration), isNumber: true } : null,
    ],
  });
}

function charts({ job, vertex, history }) {
  const to = job["end-time"] > 0 ? job["end-time"] : (job.now ?? Date.now());
  const from = Math.max(to - 3_600_000, Math.min(to - 120_000, history.first ?? to));
  const line = (name, key, tone) => ({ name, tone, points: history.series((vertices) => vertices[vertex.id]?.[key] ?? null) });
  const behind = history.series((vertices) => vertices[vertex.id]?.watermark ?? null).map((point) => ({ at: point.at, value: lag(point.value, point.at) }));
  const common = { from, to, marks: history.events.map((event) => ({ at: event.at, text: event.text, tone: event.kind === "failure" ? "bad" : "warm" })) };
  return h("div", { class: "charts" },
    chart({ ...common, id: "vertex rows", title: "Rows", format: perSecond, series: [line("in", "in", "accent"), line("out", "out", "cool")] }),
    chart({ ...common, id: "vertex load", title: "Load", format: percent, maximum: 1, stacked: true, series: [line("busy", "busy", "busy"), line("backpressured", "backpressured", "backpressured"), line("idle", "idle", "idle")] }),
    chart({ ...common, id: "vertex bytes", title: "Bytes", format: bytesPerSecond, series: [line("in", "bytesIn", "accent"), line("out", "bytesOut", "cool")] }),
    chart({ ...common, id: "vertex behind", title: "Event time behind the clock", format: duration, series: [{ name: "behind", tone: "warm", points: behind }], note: "No watermarks" }));
}

function watermarks({ job, chosen: { watermarks: answer } }) {
  if (!answer) return empty("This server does not tell watermarks.");
  const rows = answer.map((entry) => ({ subtask: Number(entry.id.split(".")[0]), at: number(entry.value) })).sort((left, right) => left.subtask - right.subtask);
  const known = rows.filter((row) => row.at > 0 && row.at < 8.64e15).map((row) => row.at);
  const slowest = known.length > 0 ? Math.min(...known) : null;
  return [
    slowest !== null ? stats(stat("Slowest", moment(slowest), `${duration(lag(slowest, job.now))} behind the clock`), stat("Apart", duration(Math.max(...known) - slowest), "between subtasks")) : null,
    table({
      id: "Watermarks", rows, key: (row) => row.subtask, none: "No watermark has come to this vertex.",
      columns: [
        { title: "Subtask", value: (row) => row.subtask, isNumber: true },
        { title: "Watermark", value: (row) => row.at, cell: (row) => (row.at >= 8.64e15 ? "end of the input" : row.at > 0 ? moment(row.at) : "none yet"), isNumber: true },
        { title: "Behind the clock", value: (row) => lag(row.at, job.now), cell: (row) => duration(lag(row.at, job.now)), isNumber: true },
        { title: "Behind the fastest", value: (row) => (row.at > 0 ? Math.max(...known) - row.at : null), cell: (row) => (row.at > 0 && row.at < 8.64e15 ? duration(Math.max(...known) - row.at) : dash), isNumber: true },
      ],
    }),
  ];
}

function backpressure({ chosen: { backpressure: answer, details, rates } }) {
  // Flink samples on request; without that the times that subtasks report say the same.
  const sampled = answer?.subtasks?.map((subtask) => ({ subtask: subtask.subtask, backpressured: number(subtask.ratio), busy: number(subtask.busyRatio), idle: number(subtask.idleRatio) }));
  const rows = sampled ?? details.subtasks.map((subtask) => ({ subtask: subtask.subtask, ...rates.of.get(subtask.subtask) }));
  const level = (ratio) => (!isNumber(ratio) ? dash : ratio > 0.5 ? "high" : ratio > 0.1 ? "low" : "ok");
  const tone = { high: "bad", low: "warm", ok: "good" };
  if (rows.every((row) => !isNumber(row.backpressured))) return empty("Being measured …", "A few seconds of reports are needed.");
  return table({
    id: "Backpressure", rows, key: (row) => row.subtask,
    columns: [
      { title: "Subtask", value: (row) => row.subtask, isNumber: true },
      { title: "Level", value: (row) => row.backpressured, cell: (row) => h("span", { class: `tone-${tone[level(row.backpressured)]}` }, level(row.backpressured)) },
      { title: "Load", value: (row) => row.busy, cell: (row) => load(row) },
      { title: "Backpressured", value: (row) => row.backpressured, cell: (row) => percent(row.backpressured), isNumber: true },
      { title: "Busy", value: (row) => row.busy, cell: (row) => percent(row.busy), isNumber: true },
      { title: "Idle", value: (row) => row.idle, cell: (row) => percent(row.idle), isNumber: true },
    ],
  });
}

function keys({ vertex, chosen }) { return keyGroups({ vertex, details: chosen.details, groups: chosen.groups, skew: chosen.skew }); }

function flameTab({ vertex, chosen: { flame: answer } }) {
  const pick = (change) => { Object.assign(flameView, change, { path: [] }); live.refresh(); };
  return [
    h("div", { class: "row" },
      choice("What", [{ id: "on_cpu", title: "On CPU" }, { id: "off_cpu", title: "Off CPU" }, { id: "full", title: "Both" }], flameView.type, (type) => pick({ type })),
      h("label", { class: "select" }, "Subtask", h("select", { value: flameView.subtask ?? "", onchange: (event) => pick({ subtask: event.target.value === "" ? null : Number(event.target.value) }) },
        h("option", { value: "" }, "all"), Array.from({ length: vertex.parallelism }, (_, index) => h("option", { value: String(index) }, index))))),
    !answer ? empty("This server takes no flame graphs.", "rest.flamegraph.enabled switches them on.")
      : !answer.data ? empty("Samples are being taken …", "The first ones are ready in a few seconds; this page shows them by itself.")
      : answer.data.value === 0 ? empty("No sample.", flameView.type === "on_cpu" ? "The threads were never on a processor: look at Off CPU." : "Nothing ran.")
      : [flame(answer.data, flameView), h("p", { class: "quiet" }, `Sampled until ${moment(answer.endTimestamp)}`)],
  ];
}

function taskmanagers({ chosen: { taskmanagers: answer, details } }) {
  const rows = answer?.taskmanagers ?? Object.values(Object.groupBy(details.subtasks, (subtask) => subtask["taskmanager-id"])).map((group) => ({
    "taskmanager-id": group[0]["taskmanager-id"], endpoint: group[0].endpoint, status: group[0].status, "status-counts": { RUNNING: group.filter((each) => each.status === "RUNNING").length },
    metrics: { "read-records": group.reduce((sum, each) => sum + each.metrics["read-records"], 0), "write-records": group.reduce((sum, each) => sum + each.metrics["write-records"], 0) },
  }));
  return table({
    id: "TaskManagers of the vertex", rows, key: (row) => row["taskmanager-id"],
    columns: [
      { title: "TaskManager", value: (row) => row["taskmanager-id"], cell: (row) => (/^\(/.test(row["taskmanager-id"] ?? "(") ? dash : h("a", { href: link("taskmanagers", row["taskmanager-id"]) }, row["taskmanager-id"])) },
      { title: "Host", value: (row) => row.endpoint }, { title: "State", value: (row) => row.status, cell: (row) => state(row.status) },
      { title: "Subtasks", value: (row) => Object.values(row["status-counts"] ?? {}).reduce((sum, each) => sum + each, 0), isNumber: true },
      { title: "Rows in", value: (row) => row.metrics?.["read-records"], cell: (row) => count(row.metrics?.["read-records"]), isNumber: true },
      { title: "Rows out", value: (row) => row.metrics?.["write-records"], cell: (row) => count(row.metrics?.["write-records"]), isNumber: true },
    ],
  });
}

function metrics({ vertex, chosen: { names } }) {
  if (!names) return empty("This server lists no metrics of subtasks.");
  const wanted = metricsView.find.toLowerCase();
  const listed = names.map((entry) => entry.id).filter((name) => name.toLowerCase().includes(wanted)).sort();
  const toggle = (name) => { if (!metricsView.chosen.delete(name)) metricsView.chosen.set(name, []); live.refresh(); };
  const now = Date.now();
  const points = [...metricsView.chosen.values()];
  const from = Math.min(now - 60_000, ...points.map((list) => list[0]?.at ?? now));
  return [
    metricsView.chosen.size > 0 ? h("div", { class: "charts" }, [...metricsView.chosen].map(([name, list]) => chart({ id: `metric ${name}`, title: name, format: count, from, to: now, series: [{ name, tone: "accent", points: list }] }))) : h("p", { class: "quiet" }, "Choose metrics to draw: sums over the subtasks, from now on."),
    h("div", { class: "row" }, filter(`Find among ${whole(names.length)} metrics`, metricsView.find, (text) => { metricsView.find = text; live.redraw(); })),
    h("ul", { class: "picks" }, listed.slice(0, 200).map((name) => h("li", { key: name }, h("button", { type: "button", "aria-pressed": String(metricsView.chosen.has(name)), onclick: () => toggle(name) }, name)))),
    listed.length > 200 ? h("p", { class: "quiet" }, `and ${listed.length - 200} more`) : null,
  ];
}

function plan({ vertex, node, chosen: { chain = [] } }) {
  const cell = (figure, show) => ({ value: (row) => row[figure], cell: (row) => show(row[figure]), isNumber: true });
  return [
    chain.length > 0 ? table({
      id: "Operators", rows: chain, key: (row) => row.title,
      columns: [
        { title: "Operator", value: (row) => row.title, isWide: true },
        { title: "Rows in", ...cell("numRecordsIn", count) }, { title: "Rows out", ...cell("numRecordsOut", count) },
        { title: "Rate in", ...cell("numRecordsInPerSecond", perSecond) }, { title: "Rate out", ...cell("numRecordsOutPerSecond", perSecond) },
        chain.some((row) => row.numLateRecordsDropped > 0) ? { title: "Late", ...cell("numLateRecordsDropped", count) } : null,
        chain.some((row) => row.stateSizeBytes > 0) ? { title: "State", ...cell("stateSizeBytes", bytes) } : null,
      ],
    }) : null,
    h("pre", { class: "plan", tabindex: "0" }, planText(node?.description ?? vertex.name)), pairs([["Vertex id", vertex.id], ["Inputs", (node?.inputs ?? []).map((input) => String(input.ship_strategy).toLowerCase()).join(", ") || "none: a source"]])];
}
