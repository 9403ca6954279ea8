import { h } from "../lib/dom.js";
import { get, getOrNothing } from "../lib/api.js";
import { ago, duration, moment } from "../lib/format.js";
import { historyOf } from "../lib/history.js";
import { link } from "../lib/live.js";
import { state, tabs, toast } from "../lib/ui.js";
import { icon } from "../lib/icons.js";
import { actions } from "./job-actions.js";
import { graphTab } from "./job-graph.js";
import { checkpointsTab } from "./checkpoints.js";
import { exceptionsTab } from "./exceptions.js";
import { timelineTab } from "./timeline.js";
import { rescalesTab } from "./rescales.js";
import { configurationTab } from "./configuration.js";

/// One job: its head, and a tab for each thing one may ask about it.
///
/// A tab is {load(job, parameters, before) -> figures, view({job, figures, history, parameters})}.

const all = { graph: graphTab, checkpoints: checkpointsTab, exceptions: exceptionsTab, timeline: timelineTab, rescales: rescalesTab, configuration: configurationTab };

export const job = {
  keyed: true,
  title: (model) => model?.job.name,

  async load([id, tab = "graph", ...rest], before) {
    const details = await get(`jobs/${encodeURIComponent(id)}`);
    for (const vertex of details.vertices ??= []) vertex.metrics ??= {};
    const history = historyOf(id);
    const isRunning = details["end-time"] < 0;
    const [hasHistory, mayRescale] = await Promise.all([
      isRunning ? history.load(id).catch(() => false) : false,
      isRunning ? (before?.mayRescale ?? getOrNothing(`jobs/${id}/resource-requirements`).then(Boolean)) : false,
    ]);
    if (isRunning && !hasHistory) await history.loadWatermarks(id, details.vertices.map((vertex) => vertex.id));
    history.add(details);
    const isDown = !isRunning ? details.state === "FAILED" : details.state !== "RUNNING";
    const trouble = isDown && tab !== "exceptions" ? (await getOrNothing(`jobs/${id}/exceptions?maxExceptions=1`))?.exceptionHistory?.entries?.[0] : null;
    const figures = await all[tab]?.load?.(details, rest, before?.tab === tab ? before.figures : undefined);
    return { job: details, history, tab, figures, mayRescale, trouble };
  },

  view({ job: details, history, tab: loaded, figures, mayRescale, trouble }, [id, tab = "graph", ...rest]) {
    const shown = all[tab];
    const item = (name, title, count) => ({ id: name, title, count, href: link("jobs", id, name === "graph" ? undefined : name) });
    return [
      head(details, mayRescale),
      trouble && tab !== "exceptions" ? h("a", { class: "banner", href: link("jobs", id, "exceptions") }, icon("warning"), h("span", {}, String(trouble.stacktrace ?? trouble.exceptionName).split("\n")[0].slice(0, 240), h("small", {}, ` ${ago(trouble.timestamp, details.now)}`))) : null,
      tabs("Job", [
        item("graph", "Graph"), item("checkpoints", "Checkpoints"), item("exceptions", "Exceptions", details.restarts || null), item("timeline", "Timeline"),
        item("rescales", "Layouts"), item("configuration", "Configuration"),
      ], tab),
      h("div", { class: "tab", key: tab }, !shown ? h("p", {}, "There is no such tab.") : shown.load && loaded !== tab ? h("div", { class: "skeleton" }, h("i"), h("i")) : shown.view({ job: details, figures, history, parameters: rest })),
    ];
  },
};

function head(details, mayRescale) {
  const counts = details["status-counts"] ?? {};
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(details.jid);
      toast("The job's id is copied.");
    } catch { toast(details.jid); }
  };
  return h("header", { class: "page-head is-job" },
    h("div", {},
      h("p", { class: "crumbs" }, h("a", { href: link("overview") }, "Jobs"), " / ", h("button", { type: "button", class: "plain is-code", title: `${details.jid} (copy)`, onclick: copy }, details.jid.slice(0, 8), icon("copy"))),
      h("h1", {}, details.name, " ", state(details.state)),
      h("p", { class: "quiet" }, [
        `since ${moment(details["start-time"])}`, `${details["end-time"] > 0 ? "ran" : "running"} for ${duration(details.duration)}`,
        `${counts.RUNNING ?? 0} of ${total} tasks running`, details.restarts > 0 ? `${details.restarts} ${details.restarts === 1 ? "restart" : "restarts"}` : null,
      ].filter(Boolean).join(" · "))),
    h("div", { class: "actions" }, actions(details, mayRescale)));
}
