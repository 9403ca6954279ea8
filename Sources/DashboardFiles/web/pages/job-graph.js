import { h } from "../lib/dom.js";
import { getOrNothing } from "../lib/api.js";
import { chart } from "../lib/chart.js";
import { bytes, count, duration, isNumber, operators, perSecond, percent } from "../lib/format.js";
import { graph } from "../lib/graph.js";
import { lag } from "../lib/history.js";
import { go, link, live } from "../lib/live.js";
import { choice, panel, state, table } from "../lib/ui.js";
import { loadVertex, vertexPanel } from "./vertex.js";

/// The graph with live figures; below it the chosen vertex, or all vertices and the charts of the last hour.

const spans = [{ id: 300_000, title: "5 min" }, { id: 900_000, title: "15 min" }, { id: 3_600_000, title: "1 hour" }];
let span = 3_600_000;

export const graphTab = {
  async load(job, [vertex, tab], before) {
    const [checkpoints, chosen] = await Promise.all([
      vertex ? undefined : getOrNothing(`jobs/${job.jid}/checkpoints`),
      vertex ? loadVertex(job, vertex, tab, before?.vertex === vertex ? before.chosen : undefined) : undefined,
    ]);
    return { vertex, tab, chosen, checkpoints };
  },

  view({ job, figures, history, parameters: [vertex, tab] }) {
    const nodes = (job.plan?.nodes ?? []).map((node) => ({ ...node, name: job.vertices.find((each) => each.id === node.id)?.name ?? node.description }));
    const byId = new Map(job.vertices.map((each) => [each.id, each]));
    const now = job.now ?? Date.now();
    const figuresOf = (id) => (job["end-time"] > 0 ? {} : history.now(id));
    const choose = (id) => (id === vertex ? go("jobs", job.jid) : go("jobs", job.jid, "graph", id));
    return [
      panel(null, { class: "is-graph" }, nodes.length === 0 ? h("p", { class: "quiet" }, "The server did not send a plan.") : graph({
        key: job.jid, nodes, figures: figuresOf, status: (id) => byId.get(id)?.status, selected: vertex, onselect: choose,
        parallelism: (node) => byId.get(node.id)?.parallelism ?? node.parallelism, footer: legend(),
      })),
      vertex ? vertexPanel({ job, vertex: byId.get(vertex), node: nodes.find((node) => node.id === vertex), tab, history, chosen: figures?.vertex === vertex ? figures.chosen : undefined })
        : [vertices(job, figuresOf), charts(job, nodes, history, figures?.checkpoints, now)],
    ];
  },
};

function legend() {
  return h("p", { class: "graph-legend" }, ["idle", "busy", "backpressured"].map((word) => h("span", { class: `is-${word}` }, h("i"), word)), h("span", { class: "quiet" }, "choose a vertex for its details"));
}

function vertices(job, figuresOf) {
  return panel("Vertices", {}, table({
    id: "Vertices", rows: job.vertices, key: (vertex) => vertex.id, href: (vertex) => link("jobs", job.jid, "graph", vertex.id),
    columns: [
      { title: "Name", value: (vertex) => vertex.name, cell: (vertex) => operators(vertex.name).join(" → "), isWide: true },
      { title: "State", value: (vertex) => vertex.status, cell: (vertex) => state(vertex.status) },
      { title: "Parallelism", value: (vertex) => vertex.parallelism, isNumber: true },
      { title: "Busy", value: (vertex) => figuresOf(vertex.id).busy ?? null, cell: (vertex) => percent(figuresOf(vertex.id).busy), isNumber: true },
      { title: "Backpr.", value: (vertex) => figuresOf(vertex.id).backpressured ?? null, cell: (vertex) => percent(figuresOf(vertex.id).backpressured), isNumber: true },
      { title: "Rows in", value: (vertex) => vertex.metrics["read-records"], cell: (vertex) => count(vertex.metrics["read-records"]), isNumber: true },
      { title: "Rows out", value: (vertex) => vertex.metrics["write-records"], cell: (vertex) => count(vertex.metrics["write-records"]), isNumber: true },
      { title: "Bytes in", value: (vertex) => vertex.metrics["read-bytes"], cell: (vertex) => bytes(vertex.metrics["read-bytes"]), isNumber: true },
      { title: "Bytes out", value: (vertex) => vertex.metrics["write-bytes"], cell: (vertex) => bytes(vertex.metrics["write-bytes"]), isNumber: true },
      { title: "Behind", value: (vertex) => figuresOf(vertex.id).lag, cell: (vertex) => duration(figuresOf(vertex.id).lag), isNumber: true },
    ],
  }));
}

function charts(job, nodes, history, checkpoints, now) {
  const sources = nodes.filter((node) => !(node.inputs?.length > 0)).map((node) => node.id);
  const fed = new Set(nodes.flatMap((node) => (node.inputs ?? []).map((input) => input.id)));
  const sinks = nodes.filter((node) => !fed.has(node.id)).map((node) => node.id);
  const sum = (ids, name) => (vertices) => {
    const known = ids.map((id) => vertices[id]?.[name]).filter(isNumber);
    return known.length > 0 ? known.reduce((total, value) => total + value, 0) : null;
  };
  // Flink counts no rows into a source and none out of a sink: there the other figure tells.
  const either = (ids, one, other) => (vertices) => sum(ids, one)(vertices) || sum(ids, other)(vertices);
  const largest = (name) => (vertices) => { const known = nodes.map((node) => vertices[node.id]?.[name]).filter(isNumber); return known.length > 0 ? Math.max(...known) : null; };
  const behind = history.series((vertices) => { const known = nodes.map((node) => vertices[node.id]?.watermark).filter((value) => isNumber(value) && value > 0); return known.length > 0 ? Math.min(...known) : null; })
    .map((point) => ({ at: point.at, value: lag(point.value, point.at) }));
  const end = job["end-time"] > 0 ? job["end-time"] : now;
  // A page that was opened just now has little to show: its charts start with what there is.
  const from = Math.max(end - span, Math.min(end - 120_000, history.first ?? end));
  const completed = history.checkpoints.length > 0 ? history.checkpoints : (checkpoints?.history ?? []).filter((each) => each.status === "COMPLETED").reverse();
  const marks = history.events.map((event) => ({ at: event.at, text: event.text, tone: event.kind === "failure" ? "bad" : "warm" }));
  const common = { from, to: end, marks };
  return panel("Last hour", { tools: choice("Span", spans, span, (picked) => { span = picked; live.redraw(); }) }, h("div", { class: "charts" },
    chart({ ...common, id: "rows", title: "Rows", format: perSecond, series: [
      { name: "read", tone: "accent", points: history.series(either(sources, "in", "out")) }, { name: "written", tone: "cool", points: history.series(either(sinks, "out", "in")) }] }),
    chart({ ...common, id: "load", title: "Fullest vertex", format: percent, maximum: 1, series: [
      { name: "busy", tone: "busy", points: history.series(largest("busy")) }, { name: "backpressured", tone: "backpressured", points: history.series(largest("backpressured")) }] }),
    chart({ ...common, id: "behind", title: "Event time behind the clock", format: duration, series: [{ name: "behind", tone: "warm", points: behind }], note: "No watermarks" }),
    chart({ ...common, id: "checkpoints", title: "Checkpoint duration", format: duration, series: [{ name: "duration", tone: "accent", points: completed.map((each) => ({ at: each.trigger_timestamp, value: each.end_to_end_duration })) }], note: "No checkpoints" })));
}
