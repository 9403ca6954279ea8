import { h } from "../lib/dom.js";
import { getIfThere, getOrNothing } from "../lib/api.js";
import { bytes, clock, dash, duration, isNumber, moment, number, operators, whole, words } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { link } from "../lib/live.js";
import { empty, meter, panel, stat, state, stats, table } from "../lib/ui.js";

/// Changes of the layout: rescales, evacuations, recoveries (Flink's rescale history).

export const rescalesTab = {
  async load(job, [id]) {
    const base = `jobs/${job.jid}/rescales`;
    const [history, summary, details] = await Promise.all([getIfThere(`${base}/history`), getOrNothing(`${base}/summary`), id ? getIfThere(`${base}/details/${encodeURIComponent(id)}`) : undefined]);
    return { history, summary, details };
  },

  view({ job, figures: { history, summary, details }, parameters: [id] }) {
    if (!Array.isArray(history)) return empty("This server keeps no history of layouts.", h("span", {}, "The ", h("a", { href: link("spot") }, "Spot page"), " shows what it knows of moves."));
    const counts = summary?.rescalesCounts;
    const times = summary?.completedRescalesDurationStatsInMillis;
    const longest = Math.max(1, ...history.map((each) => each.endTimestampInMillis - each.startTimestampInMillis));
    return [
      counts ? panel(null, { class: "is-plain" }, stats(
        stat("Completed", whole(counts.completed)), stat("In progress", whole(counts.inProgress)), stat("Failed", whole(counts.failed), null, counts.failed > 0 ? "bad" : null), stat("Ignored", whole(counts.ignored)),
        times ? stat("Usual duration", duration(number(times.p50)), `longest ${duration(number(times.max))}`) : null)) : null,
      table({
        id: "Layouts", rows: history, key: (each) => each.rescaleUuid, href: (each) => link("jobs", job.jid, "rescales", each.rescaleUuid === id ? undefined : each.rescaleUuid), none: "The layout has not changed.",
        columns: [
          { title: "Started", value: (each) => each.startTimestampInMillis, cell: (each) => moment(each.startTimestampInMillis), isNumber: true },
          { title: "Cause", value: (each) => each.triggerCause, cell: (each) => words(each.triggerCause) },
          { title: "Outcome", value: (each) => each.terminalState ?? "IN_PROGRESS", cell: (each) => state(each.terminalState ?? "IN_PROGRESS") },
          { title: "Reason", value: (each) => each.reason ?? each.terminatedReason, cell: (each) => each.reason ?? (each.terminatedReason ? words(each.terminatedReason) : dash), isWide: true },
          history.some((each) => Array.isArray(each.postRescaleParallelism)) ? { title: "Parallelism", value: (each) => Math.max(0, ...(each.postRescaleParallelism ?? [])), cell: parallelism, isNumber: true } : null,
          history.some((each) => isNumber(each.keyGroupsMoved)) ? { title: "Key groups", value: (each) => each.keyGroupsMoved, cell: (each) => (isNumber(each.keyGroupsMoved) ? h("span", { title: `of ${whole(each.keyGroups)}` }, whole(each.keyGroupsMoved)) : dash), isNumber: true } : null,
          history.some((each) => isNumber(each.stateBytesMoved)) ? { title: "State moved", value: (each) => each.stateBytesMoved, cell: (each) => h("span", { title: `${bytes(each.stateBytesCopiedAhead)} of it ahead of the barrier` }, bytes(each.stateBytesMoved)), isNumber: true } : null,
          { title: "Duration", value: (each) => each.endTimestampInMillis - each.startTimestampInMillis, cell: (each) => (each.endTimestampInMillis > 0 ? meter((each.endTimestampInMillis - each.startTimestampInMillis) / longest, duration(each.endTimestampInMillis - each.startTimestampInMillis)) : dash) },
        ],
        expand: (each) => (each.rescaleUuid === id ? one(details) : null),
      }),
    ];
  },
};

/// Of the vertices that change; the largest where none does.
function parallelism({ preRescaleParallelism: from, postRescaleParallelism: to }) {
  if (!(to?.length > 0)) return dash;
  const changed = to.map((count, index) => (count === from?.[index] ? "" : `${from?.[index] ?? dash} → ${count}`)).filter(Boolean);
  return changed.length > 0 ? [...new Set(changed)].join(", ") : Math.max(...to);
}

function one(details) {
  if (!details) return empty("No details of it are kept.");
  const vertices = Object.values(details.vertices ?? {});
  const states = details.schedulerStates ?? [];
  return [
    vertices.length > 0 ? table({
      id: "Vertices of the layout", rows: vertices, key: (each) => each.jobVertexId,
      columns: [
        { title: "Vertex", value: (each) => each.jobVertexName, cell: (each) => operators(each.jobVertexName).join(" → "), isWide: true },
        { title: "Parallelism", value: (each) => each.postRescaleParallelism, cell: (each) => h("span", {}, isNumber(each.preRescaleParallelism) ? [`${each.preRescaleParallelism} `, icon("right"), ` ${each.postRescaleParallelism ?? dash}`] : (each.postRescaleParallelism ?? dash)), isNumber: true },
        { title: "Wanted", value: (each) => each.desiredParallelism, isNumber: true },
      ],
    }) : null,
    states.length > 0 ? h("ol", { class: "steps" }, states.map((each) => h("li", {}, h("time", {}, clock(each.enterTimestampInMillis, true)), h("span", {}, each.state.replace(/([a-z])([A-Z])/g, "$1 $2")), h("b", {}, duration(each.durationInMillis)), each.stringifiedException ? h("p", { class: "tone-bad" }, String(each.stringifiedException).split("\n")[0]) : null))) : null,
  ];
}
