import { h } from "../lib/dom.js";
import { get, getOrNothing } from "../lib/api.js";
import { ago, duration, moment, percent, whole } from "../lib/format.js";
import { link, maySubmit } from "../lib/live.js";
import { empty, filter, panel, stat, state, stats, table } from "../lib/ui.js";
import { icon } from "../lib/icons.js";
import { live } from "../lib/live.js";

/// Slots, jobs and TaskManagers at one glance.

const ended = new Set(["FINISHED", "CANCELED", "FAILED", "SUSPENDED"]);
let find = "";

export const overview = {
  title: () => "Overview",

  async load() {
    const [cluster, jobs, workers] = await Promise.all([get("overview"), get("jobs/overview"), getOrNothing("taskmanagers")]);
    return { cluster, jobs: jobs.jobs ?? [], workers: workers?.taskmanagers ?? [] };
  },

  view({ cluster, jobs, workers }) {
    const total = cluster["slots-total"];
    const used = total - cluster["slots-available"];
    const running = jobs.filter((job) => !ended.has(job.state));
    const wanted = find.toLowerCase();
    const past = jobs.filter((job) => ended.has(job.state) && (wanted === "" || `${job.name} ${job.jid} ${job.state}`.toLowerCase().includes(wanted)))
      .sort((left, right) => right["end-time"] - left["end-time"]);
    const leaving = workers.filter((worker) => worker.leaving);
    return [
      h("header", { class: "page-head" }, h("h1", {}, "Overview"), maySubmit() ? h("a", { class: "button is-main", href: link("submit") }, icon("submit"), "Submit SQL") : null),
      leaving.length > 0 ? h("p", { class: "banner is-warm" }, icon("spot"), h("span", {}, `${leaving.length === 1 ? `${leaving[0].id} is` : `${leaving.length} TaskManagers are`} being vacated. `, h("a", { href: link("spot") }, "See what moves"))) : null,
      panel(null, { class: "is-plain" }, stats(
        stat("Jobs running", whole(cluster["jobs-running"]), running.some((job) => job.state !== "RUNNING") ? "some are not at full work" : null, cluster["jobs-running"] > 0 ? "good" : null),
        stat("Finished", whole(cluster["jobs-finished"])), stat("Cancelled", whole(cluster["jobs-cancelled"])),
        stat("Failed", whole(cluster["jobs-failed"]), null, cluster["jobs-failed"] > 0 ? "bad" : null),
        stat("TaskManagers", whole(cluster.taskmanagers), cluster.taskmanagers === 0 ? "jobs wait for one" : null, cluster.taskmanagers === 0 ? "bad" : null),
        stat("Slots", total > 0 ? `${used} of ${total}` : "0", total > 0 ? `${percent(used / total)} used` : null))),
      panel("Running jobs", {}, running.length === 0
        ? empty("No job runs.", maySubmit() ? h("a", { href: link("submit") }, "Submit one") : null)
        : h("ul", { class: "job-cards" }, running.map(jobCard))),
      workers.length > 0 ? panel("TaskManagers", { tools: h("a", { href: link("taskmanagers") }, "All") }, h("ul", { class: "worker-tiles" }, workers.map(workerTile))) : null,
      jobs.some((job) => ended.has(job.state)) ? panel("Ended jobs", { tools: filter("Find a job", find, (text) => { find = text; live.redraw(); }) }, table({
        id: "Ended jobs", rows: past, key: (job) => job.jid, href: (job) => link("jobs", job.jid), none: "No ended job matches.", order: null,
        columns: [
          { title: "Name", value: (job) => job.name, isWide: true }, { title: "State", value: (job) => job.state, cell: (job) => state(job.state) },
          { title: "Started", value: (job) => job["start-time"], cell: (job) => moment(job["start-time"]), isNumber: true },
          { title: "Ran for", value: (job) => job.duration, cell: (job) => duration(job.duration), isNumber: true },
          { title: "Ended", value: (job) => job["end-time"], cell: (job) => ago(job["end-time"]), isNumber: true },
          { title: "Tasks", value: (job) => job.tasks?.total, isNumber: true },
        ],
      })) : null,
    ];
  },
};

function jobCard(job) {
  const tasks = job.tasks ?? {};
  return h("li", { key: job.jid }, h("a", { class: "job-card", title: `since ${moment(job["start-time"])}`, href: link("jobs", job.jid) },
    h("span", { class: "job-card-head" }, h("strong", {}, job.name), state(job.state)),
    taskBar(tasks),
    h("span", { class: "quiet" }, `${tasks.running ?? 0} of ${tasks.total ?? 0} tasks running · for ${duration(job.duration)}`)));
}

const tones = { running: "good", finished: "cool", initializing: "warm", deploying: "warm", scheduled: "warm", created: "quiet", reconciling: "warm", canceling: "quiet", canceled: "quiet", failed: "bad" };

function taskBar(tasks) {
  const total = Math.max(1, tasks.total ?? 0);
  return h("span", { class: "task-bar", "aria-hidden": "true" }, Object.keys(tones).filter((name) => tasks[name] > 0).map((name) => h("i", { class: `tone-${tones[name]}`, title: `${tasks[name]} ${name}`, style: { width: `${tasks[name] / total * 100}%` } })));
}

export function slotDots(worker) {
  const used = worker.slotsNumber - worker.freeSlots;
  if (worker.slotsNumber > 32) return h("span", {}, `${used} of ${worker.slotsNumber}`);
  return h("span", { class: "slots", role: "img", "aria-label": `${used} of ${worker.slotsNumber} slots used`, style: { "grid-template-columns": `repeat(${Math.min(8, worker.slotsNumber)}, 11px)` } }, Array.from({ length: worker.slotsNumber }, (_, index) => h("i", { class: index < used ? "is-used" : "" })));
}

function workerTile(worker) {
  return h("li", { key: worker.id }, h("a", { class: `worker-tile${worker.leaving ? " is-leaving" : ""}`, href: link("taskmanagers", worker.id) },
    h("span", {}, worker.id), slotDots(worker), worker.leaving ? h("small", { class: "tone-warm" }, "leaving") : null));
}
