import { h } from "../lib/dom.js";
import { get, getIfThere } from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { bytes, bytesPerSecond, count, dash, isNumber, moment, number, percent, perSecond, whole } from "../lib/format.js";
import { loadLog, logView, showLog } from "../lib/logs.js";
import { link, live } from "../lib/live.js";
import { empty, filter, panel, pairs, stat, stats, table, tabs } from "../lib/ui.js";
import { keyTable } from "./configuration.js";

/// What is asked about a process, JobManager or TaskManager alike: metrics, threads, logs.
///
/// A kind is {base(id): its REST path, to(id, tab): a link, first: [tab, title], about(details), head(details, figures)}.

/// By process: what its server keeps of the last hour, and what this page saw.
const pasts = new Map();
const ui = { metrics: "", threads: "", view: null };
const hour = 3_600_000;

/// Flink's names; what stands for Status.JVM.* here is documented with the metrics.
const drawn = {
  "Status.JVM.CPU.Load": { title: "Processor", format: percent, maximum: 1 }, "Status.JVM.Memory.Heap.Used": { title: "Memory used", format: bytes },
  "Status.JVM.Threads.Count": { title: "Threads", format: count }, "Status.JVM.FileDescriptor.Open": { title: "Open files", format: count }, "Status.Shuffle.Netty.UsedMemory": { title: "Network buffers", format: bytes },
};

/// Charts of what the server keeps: lines by the column of its answer.
const cores = (value) => (!isNumber(value) ? dash : `${value === 0 ? "0" : value.toFixed(value < 0.095 ? 3 : value < 0.95 ? 2 : 1)} CPU`);
const kept = [
  { id: "processors", title: "Processor time", format: cores, lines: [["busy", "processors", "accent"]] },
  { id: "memory", title: "Memory", format: bytes, lines: [["its own", "memory-used", "accent"], ["resident", "memory-resident", "cool"]] },
  { id: "rows", title: "Rows", format: perSecond, lines: [["in", "records-in-per-second", "accent"], ["out", "records-out-per-second", "cool"]] },
  { id: "bytes", title: "Bytes", format: bytesPerSecond, lines: [["in", "bytes-in-per-second", "accent"], ["out", "bytes-out-per-second", "cool"]] },
  { id: "threads", title: "Threads", format: count, lines: [["threads", "threads", "accent"]] },
  { id: "files", title: "Open files", format: count, lines: [["files", "open-files", "accent"]] },
];

/// Asks for what was noted since the last answer.
async function loadPast(base, past) {
  const since = past.points?.at(-1)?.at;
  const answer = await getIfThere(`${base}/history${since ? `?since=${since}` : ""}`);
  if (!answer) { past.points = null; return; }
  past.points ??= [];
  past.now = number(answer.now);
  (answer.timestamps ?? []).forEach((at, index) => {
    if (since && at <= since) return;
    past.points.push({ at, values: Object.fromEntries(kept.flatMap(({ lines }) => lines).map(([, column]) => [column, number(answer[column]?.[index]) ?? null])) });
  });
  while (past.points.length > 0 && past.points[0].at < past.now - hour) past.points.shift();
}

export const process = {
  async load(kind, [id, tab = kind.first[0], file], before) {
    const base = kind.base(id);
    const past = pasts.get(base) ?? pasts.set(base, { points: null, seen: [] }).get(base);
    const history = past.seen;
    if (tab === kind.first[0]) await loadPast(base, past);
    const names = before?.names ?? (await getIfThere(`${base}/metrics`))?.map((entry) => entry.id);
    let values;
    if (names?.length > 0) {
      const wanted = tab === "metrics" ? names : Object.keys(drawn).filter((name) => names.includes(name));
      values = (await Promise.all(chunks(wanted, 60).map((part) => getIfThere(`${base}/metrics?get=${part.map(encodeURIComponent).join(",")}`)))).flatMap((answer) => answer ?? []);
      const at = Date.now();
      history.push({ at, values: new Map(values.map((entry) => [entry.id, number(entry.value)])) });
      while (history[0].at < at - hour) history.shift();
    }
    const model = { names, values, history, past, tab };
    if (tab === "threads") model.threads = await getIfThere(`${base}/thread-dump`);
    if (tab === "config") model.config = before?.config ?? await getIfThere(`${base}/config`);
    if (tab === "about") model.environment = before?.environment ?? (kind.environment ? await getIfThere(kind.environment) : undefined);
    if (tab === "logs") {
      model.files = await getIfThere(`${base}/logs`);
      const path = file ? `${base}/logs/${encodeURIComponent(file)}` : `${base}/log`;
      if (ui.view?.path !== path) ui.view = logView(path);
      await loadLog(ui.view);
    }
    if (tab === "output") {
      const path = `${base}/stdout`;
      if (ui.view?.path !== path) ui.view = logView(path);
      await loadLog(ui.view);
    }
    return model;
  },

  view(kind, model, [id, tab = kind.first[0], file]) {
    const { details, tab: loaded } = model;
    const figures = { cpu: model.history.at(-1)?.values.get("Status.JVM.CPU.Load") };
    const item = (name, title) => ({ id: name, title, href: kind.to(id, name === kind.first[0] ? undefined : name) });
    const views = { about: () => kind.about(details, model), metrics, threads, logs: () => logs(kind, id, file, model), output: () => showLog(ui.view), config: () => configTab(model) };
    return [
      kind.head ? panel(null, { class: "is-plain" }, kind.head(details, figures)) : null,
      tabs("Process", [item(...kind.first), item("metrics", "Metrics"), kind.hasConfig ? item("config", "Configuration") : null, item("logs", "Logs"), item("output", "Output"), item("threads", "Threads")], tab),
      h("div", { class: "tab", key: tab }, loaded !== tab ? h("div", { class: "skeleton" }, h("i"), h("i")) : [tab === kind.first[0] ? charts(model) : null, views[tab]?.(model) ?? empty("There is no such tab.")]),
    ];
  },
};

function chunks(list, size) {
  const all = [];
  for (let start = 0; start < list.length; start += size) all.push(list.slice(start, start + size));
  return all;
}

function charts({ history, names, past }) {
  if (past.points?.length > 1) {
    const to = Math.max(past.now, past.points.at(-1).at);
    const from = Math.max(to - hour, Math.min(past.points[0].at, to - 60_000));
    const series = ([name, column, tone]) => ({ name, tone, points: past.points.map((point) => ({ at: point.at, value: point.values[column] })) });
    const known = kept.filter(({ lines }) => past.points.some((point) => lines.some(([, column]) => point.values[column] !== null)));
    return h("div", { class: "charts is-loose" }, known.map(({ id, title, format, lines }) => chart({ id: `process ${id}`, title, format, from, to, series: lines.map(series) })));
  }
  const there = Object.keys(drawn).filter((name) => names?.includes(name));
  if (there.length === 0) return null;
  const to = history.at(-1)?.at ?? Date.now();
  // From when the page was opened: the line fills the chart from its second point on.
  const from = history.length > 1 ? Math.max(to - hour, history[0].at) : to - 10_000;
  return h("div", { class: "charts is-loose" }, there.map((name) => chart({ id: name, title: drawn[name].title, format: drawn[name].format, maximum: drawn[name].maximum, from, to, series: [{ name, tone: "accent", points: history.map((sample) => ({ at: sample.at, value: sample.values.get(name) ?? null })) }] })));
}

function metrics({ names, values }) {
  if (!names) return empty("This server lists no metrics of this process.");
  const wanted = ui.metrics.toLowerCase();
  const show = (entry) => {
    const value = number(entry.value);
    if (!isNumber(value)) return String(entry.value);
    return /Memory|Used$|Committed|Capacity|Bytes/.test(entry.id) && !/Segments|Count|Usage|Num/.test(entry.id) && value >= 1024 ? `${bytes(value)}` : Number.isInteger(value) ? whole(value) : String(Math.round(value * 1000) / 1000);
  };
  return [
    h("div", { class: "row" }, filter(`Find among ${names.length} metrics`, ui.metrics, (text) => { ui.metrics = text; live.redraw(); })),
    table({
      id: "Metrics", rows: (values ?? []).filter((entry) => entry.id.toLowerCase().includes(wanted)), key: (entry) => entry.id, order: [0, false], none: "No metric matches.",
      columns: [{ title: "Metric", value: (entry) => entry.id, isCode: true, isWide: true }, { title: "Value", value: (entry) => number(entry.value) ?? entry.value, cell: show, isNumber: true }],
    }),
  ];
}

function threads({ threads: answer }) {
  if (!answer) return empty("This server hands out no stacks of this process.");
  const wanted = ui.threads.toLowerCase();
  const shown = (answer.threadInfos ?? []).filter((thread) => String(thread.stringifiedThreadInfo).toLowerCase().includes(wanted));
  return [
    h("div", { class: "row" }, filter(`Find in ${answer.threadInfos?.length ?? 0} threads`, ui.threads, (text) => { ui.threads = text; live.redraw(); }), h("span", { class: "quiet" }, `${shown.length} shown`)),
    h("div", { class: "threads" }, shown.slice(0, 300).map((thread, index) => h("details", { key: `${thread.threadName} ${index}` }, h("summary", {}, thread.threadName, " ", h("span", { class: "quiet" }, /\b(RUNNABLE|WAITING|TIMED_WAITING|BLOCKED|RUNNING|SLEEPING)\b/.exec(thread.stringifiedThreadInfo)?.[1].toLowerCase().replace("_", " "))), h("pre", { class: "log", tabindex: "0" }, thread.stringifiedThreadInfo)))),
  ];
}

function logs(kind, id, file, { files }) {
  const list = files?.logs ?? [];
  return h("div", { class: "with-list" },
    list.length > 0 ? h("nav", { class: "file-list", "aria-label": "Files" }, h("a", { href: kind.to(id, "logs"), "aria-current": file ? null : "page" }, h("span", {}, "Main log")),
      [...list].sort((left, right) => right.mtime - left.mtime).map((entry) => h("a", { key: entry.name, href: `${kind.to(id, "logs")}/${encodeURIComponent(entry.name)}`, "aria-current": file === entry.name ? "page" : null, title: moment(entry.mtime) }, h("span", {}, entry.name), h("small", {}, bytes(entry.size))))) : null,
    h("div", {}, showLog(ui.view)));
}

function configTab({ config }) {
  if (!Array.isArray(config)) return empty("This server does not tell its configuration.");
  return [h("div", { class: "row" }, filter("Find a key", ui.metrics, (text) => { ui.metrics = text; live.redraw(); })), keyTable("Configuration", config, ui.metrics)];
}

/// The JobManager is one process, so its address has no id: the tab comes first.
const leader = {
  base: () => "jobmanager", to: (_, tab) => link("jobmanager", tab), first: ["about", "About"], hasConfig: true, environment: "jobmanager/environment",
  about: (_, { environment }) => [
    live.config ? panel("Process", {}, pairs([
      ["Version", live.config["flink-version"]], ["Revision", live.config["flink-revision"]], ["Time zone", live.config["timezone-name"]],
      environment?.jvm ? ["Runtime", environment.jvm.version] : null, environment?.jvm ? ["Machine", environment.jvm.arch] : null, environment?.jvm?.options?.length > 0 ? ["Options", h("code", {}, environment.jvm.options.join(" "))] : null,
    ])) : null,
  ],
  head: (details) => stats(
    stat("TaskManagers", whole(details.taskmanagers)), stat("Slots", `${details["slots-total"] - details["slots-available"]} of ${details["slots-total"]}`, "used"), stat("Jobs running", whole(details["jobs-running"]))),
};

export const jobManager = {
  title: () => "JobManager",
  keyed: false,
  async load(parameters, before) { return { details: await get("overview"), ...(await process.load(leader, ["", ...parameters], before)) }; },
  view: (model, parameters) => [h("header", { class: "page-head" }, h("h1", {}, "JobManager")), process.view(leader, model, ["", ...parameters])],
};
