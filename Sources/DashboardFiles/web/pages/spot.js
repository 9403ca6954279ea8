import { h } from "../lib/dom.js";
import { getIfThere, getOrNothing } from "../lib/api.js";
import { bytes, count, dash, duration, isNumber, moment, clock, money, number, percent, short, whole, words } from "../lib/format.js";
import { lanes } from "../lib/lanes.js";
import { link, live } from "../lib/live.js";
import { choice, empty, pairs, panel, stat, state, stats, table } from "../lib/ui.js";
import { icon } from "../lib/icons.js";

/// Machines that come and go: notices, evacuations and layout changes on one time axis; what moved, what it cost and what was saved.

const spans = [{ id: 900_000, title: "15 min" }, { id: 3_600_000, title: "1 hour" }, { id: 21_600_000, title: "6 hours" }, { id: 86_400_000, title: "1 day" }, { id: 604_800_000, title: "1 week" }];
/// Null: as much as there is to see.
let span = null;
const shownSpan = ({ now, since }) => span ?? spans.find((each) => isNumber(since) && since > 0 && now - since < 0.9 * each.id)?.id ?? (isNumber(since) ? spans.at(-1).id : 3_600_000);
let picked = null;

export const spot = {
  title: () => "Spot",

  async load() {
    const answer = await getIfThere("spot");
    if (!answer) return assembled();
    if (Array.isArray(answer.events)) return told(answer);
    const list = (name) => (Array.isArray(answer[name]) ? answer[name] : []);
    return { ...answer, now: number(answer.now) ?? Date.now(), workers: list("workers"), notices: list("notices"), changes: list("changes") };
  },

  view(figures, [id]) {
    // A change is chosen by the address, so that it can be sent to others.
    picked = id ?? null;
    const { workers, notices, changes, savings } = figures;
    const chosen = changes.find((each) => each.id === picked) ?? null;
    return [
      h("header", { class: "page-head" }, h("h1", {}, "Spot"), choice("Span", spans, shownSpan(figures), (id) => { span = id; live.redraw(); })),
      panel(null, { class: "is-plain" }, summary(figures)),
      workers.some((worker) => worker.leaving) ? h("p", { class: "banner is-warm", role: "status" }, icon("spot"), leavingWords(workers, notices, figures.now)) : null,
      ...(figures.waiting ?? []).map((each) => h("p", { class: "banner is-warm" }, `${each["job-name"]} ${each.reason}`)),
      panel("What happened", {}, axis(figures), h("p", { class: "graph-legend" }, [["good", "Spot"], ["cool", "on demand"], ["quiet", "kind unknown"], ["warm", "being vacated"], ["bad", "lost, deadline"], ["accent", "new layout"]].map(([tone, word]) => h("span", { class: `tone-${tone}` }, h("i"), word)))),
      chosen ? one(chosen, notices) : null,
      panel("Layout changes", {}, table({
        id: "Layout changes", rows: changes, key: (each) => each.id, href: (each) => link("spot", each.id === picked ? undefined : each.id), none: "No job has moved.",
        columns: [
          { title: "Started", value: (each) => each.started, cell: (each) => h("span", { title: moment(each.started) }, figures.now - each.started < 43_200_000 ? clock(each.started) : moment(each.started)), isNumber: true },
          { title: "Job", value: (each) => each["job-name"] ?? each.jid, cell: (each) => each["job-name"] ?? short(each.jid), isWide: true },
          { title: "Why", value: (each) => each.reason ?? each.cause, cell: (each) => h("span", {}, words(each.cause), each.reason ? h("small", { class: "quiet" }, ` ${each.reason}`) : null), isWide: true }, { title: "Outcome", value: (each) => each.status, cell: (each) => state(each.status) },
          { title: "Took", value: (each) => took(each), cell: (each) => duration(took(each)), isNumber: true },
          { title: "Rows waited ≤", value: (each) => each.latency?.["pause-ms"], cell: (each) => duration(each.latency?.["pause-ms"]), isNumber: true },
          changes.some((each) => isNumber(each.latency?.["lag-during-ms"])) ? { title: "Latency before → during", value: (each) => each.latency?.["lag-during-ms"], cell: lag, isNumber: true } : null,
          { title: "Key groups", value: (each) => each.moved?.["key-groups"], cell: (each) => whole(each.moved?.["key-groups"]), isNumber: true },
          changes.some((each) => isNumber(each.moved?.bytes)) ? { title: "State moved", value: (each) => each.moved?.bytes, cell: (each) => bytes(each.moved?.bytes), isNumber: true } : null,
          changes.some((each) => isNumber(each["margin-ms"])) ? { title: "To spare", value: (each) => each["margin-ms"], cell: (each) => h("span", { class: isNumber(each["margin-ms"]) && each["margin-ms"] < 0 ? "tone-bad" : null }, isNumber(each["margin-ms"]) && each["margin-ms"] < 0 ? "too late" : duration(each["margin-ms"])), isNumber: true } : null,
        ],
      })),
      savings ? prices(savings) : null,
    ];
  },
};

const hoursOf = (value) => (isNumber(value) ? value.toFixed(value > 0 && value < 1 ? 2 : 1) : dash);
/// The usual lag may be above what was seen in the few seconds of a change.
const lag = ({ latency }) => (!isNumber(latency?.["lag-during-ms"]) ? dash : latency["lag-during-ms"] <= latency["lag-before-ms"] ? `${duration(latency["lag-before-ms"])}, as ever` : `${duration(latency["lag-before-ms"])} → ${duration(latency["lag-during-ms"])}`);
const took = (change) => (change.ended > 0 ? change.ended - change.started : null);

function summary({ workers, notices, changes, savings, now, isAssembled }) {
  const over = changes.filter((each) => each.cause === "evacuation" && each.status !== "IN_PROGRESS");
  const inTime = over.filter((each) => each.status === "COMPLETED" && !(isNumber(each["margin-ms"]) && each["margin-ms"] < 0)).length;
  const evacuations = over.length;
  const pauses = changes.map((each) => each.latency?.["pause-ms"]).filter(isNumber).sort((left, right) => left - right);
  const alive = workers.filter((worker) => !(worker.until > 0));
  const onSpot = alive.filter((worker) => worker.lifecycle === "spot").length;
  const hours = savings ? savings["spot-hours"] + savings["on-demand-hours"] + (savings["unknown-hours"] ?? 0) : null;
  return stats(
    stat("TaskManagers", whole(alive.length), isAssembled ? null : `${onSpot} on Spot`),
    stat("Notices", whole(notices.length), notices.length > 0 ? `last ${duration(now - Math.max(...notices.map((each) => each.at)))} ago` : "none yet"),
    stat("Evacuated in time", evacuations > 0 ? `${inTime} of ${evacuations}` : dash, evacuations > 0 ? null : "nobody had to go", evacuations > inTime ? "warm" : evacuations > 0 ? "good" : null),
    stat("Rows waited at most", pauses.length > 0 ? duration(pauses[Math.floor(pauses.length / 2)]) : dash, pauses.length > 0 ? `usually; once ${duration(pauses.at(-1))}` : "in a change of the layout"),
    savings ? stat("Spot hours", hoursOf(savings["spot-hours"]), hours > 0 ? `${percent(savings["spot-hours"] / hours)} of all` : savings["unknown-hours"] > 0 ? "kind of machine unknown" : null) : null,
    savings && !isNumber(savings.saved) ? stat("Saved", "unknown", "set spot.price-per-hour and spot.on-demand-price-per-hour") : null,
    savings && isNumber(savings.saved) ? stat("Saved", money(savings.saved, savings.currency), isNumber(savings["saved-share"]) ? `${percent(savings["saved-share"])} of the on-demand price` : null, "good") : null);
}

function leavingWords(workers, notices, now) {
  const leaving = workers.filter((worker) => worker.leaving);
  const deadline = Math.min(...notices.filter((each) => leaving.some((worker) => worker.id === each["taskmanager-id"]) && each.deadline > now).map((each) => each.deadline));
  return h("span", {}, `${leaving.map((worker) => worker.id).join(", ")} ${leaving.length === 1 ? "is" : "are"} being vacated`, Number.isFinite(deadline) ? `; ${duration(deadline - now)} are left` : "", ".");
}

function axis({ workers, notices, changes, now, since }) {
  const from = now - shownSpan({ now, since });
  const tones = { spot: "good", "on-demand": "cool" };
  const items = [];
  const jobs = new Map();
  for (const change of changes) jobs.set(change.jid, [...(jobs.get(change.jid) ?? []), change]);
  for (const [jid, list] of jobs) items.push({
    id: `job ${jid}`, title: list[0]["job-name"] ?? short(jid), detail: "layouts",
    spans: list.map((each) => ({ id: each.id, from: each.started, to: each.ended > 0 ? each.ended : now, tone: each.status === "FAILED" || each.status === "ABORTED" || each.cause === "recovery" ? "bad" : "accent", text: `${words(each.cause)} ${duration(took(each))}` })),
  });
  for (const worker of [...workers].filter((each) => !(each.until > 0 && each.until < from)).sort((left, right) => left.since - right.since)) {
    const own = notices.filter((each) => each["taskmanager-id"] === worker.id);
    const until = worker.until > 0 ? worker.until : now;
    const vacated = own.length > 0 ? Math.min(...own.map((each) => each.at)) : until;
    items.push({
      id: worker.id, title: worker.id, detail: [worker["instance-type"], worker.zone].filter(Boolean).join(" · ") || worker.host,
      spans: [
        { from: worker.since > 0 ? worker.since : from, to: Math.min(vacated, until), tone: tones[worker.lifecycle] ?? "quiet", text: `${worker.id} since ${moment(worker.since)}` },
        ...(vacated < until ? [{ from: vacated, to: until, tone: "warm", text: `vacated since ${clock(vacated)}` }] : []),
      ],
      marks: [
        ...own.map((each) => ({ at: each.at, tone: "warm", text: each.text ?? `${words(each.kind)} notice` })), ...own.filter((each) => each.deadline > 0 && each.deadline <= now).map((each) => ({ at: each.deadline, tone: "bad", text: "deadline" })),
        ...(worker.since > 0 ? [{ at: worker.since, tone: "good", text: "joined" }] : []),
        ...(worker.until > 0 ? [{ at: worker.until, tone: worker.lost ? "bad" : "quiet", text: worker.lost ? `lost without notice${worker.why ? `: ${worker.why}` : ""}` : "left" }] : []),
      ],
    });
  }
  if (items.length === 0) return empty("Nothing in this span.");
  return lanes({ from, to: now, items, picked, onpick: (id) => { location.hash = link("spot", id === picked ? undefined : id).slice(1); } });
}

function one(change, notices) {
  const notice = notices.find((each) => change["taskmanager-ids"]?.includes(each["taskmanager-id"]) && each.at <= change.started + 1000);
  const steps = change.steps ?? [];
  const latency = change.latency ?? {};
  return panel(`${words(change.cause)} of ${change["job-name"] ?? short(change.jid)}`, { key: change.id, tools: h("a", { class: "tool", href: link("spot"), title: "Close", "aria-label": "Close" }, icon("cancel")) },
    stats(
      stat("Outcome", state(change.status), change.reason), stat("Took", duration(took(change)), change.checkpoint ? `with checkpoint ${change.checkpoint}` : null), stat("Rows waited at most", duration(latency["pause-ms"]), "those that moved, from the barrier on"),
      isNumber(latency["lag-during-ms"]) ? stat("Latency", lag(change), "watermark behind the clock: before, and at most during") : null,
      isNumber(latency["p99-before-ms"]) ? stat("Latency p99", `${duration(latency["p99-before-ms"])} → ${duration(latency["p99-during-ms"])}`, "before, and during") : null,
      isNumber(change["margin-ms"]) ? stat("Time to spare", change["margin-ms"] < 0 ? "too late" : duration(change["margin-ms"]), "before the machine went", change["margin-ms"] < 0 ? "bad" : "good") : null),
    h("div", { class: "two" },
      h("div", {}, h("h3", {}, "What moved"), pairs([
        ["Subtasks", whole(change.moved?.subtasks)], ["Key groups", isNumber(change.moved?.["key-groups-all"]) && change.moved["key-groups-all"] > 0 ? `${whole(change.moved["key-groups"])} of ${whole(change.moved["key-groups-all"])}` : whole(change.moved?.["key-groups"])], isNumber(change.moved?.splits) ? ["Splits", whole(change.moved.splits)] : null,
        isNumber(change.moved?.bytes) ? ["State", bytes(change.moved.bytes)] : null, isNumber(change.moved?.["precopied-bytes"]) ? ["Copied beforehand", bytes(change.moved["precopied-bytes"])] : null, isNumber(change.moved?.["parked-rows"]) ? ["Rows that waited", count(change.moved["parked-rows"])] : null,
        change.from && change.to ? ["Slots", `${change.from.slots} → ${change.to.slots}`] : null, change.from && change.to ? ["TaskManagers", `${change.from.taskmanagers} → ${change.to.taskmanagers}`] : null,
        change["taskmanager-ids"]?.length > 0 ? ["Left", change["taskmanager-ids"].join(", ")] : null, change.jid ? ["Job", h("a", { href: link("jobs", change.jid) }, short(change.jid))] : null,
      ])),
      steps.length > 0 ? h("div", {}, h("h3", {}, "Step by step"), h("ol", { class: "steps" },
        notice ? h("li", {}, h("time", {}, clock(notice.at, true)), h("span", {}, notice.text ?? `${words(notice.kind)} notice`)) : null,
        steps.map((step, index) => h("li", {}, h("time", {}, clock(step.at, true)), h("span", {}, step.name), h("b", {}, index > 0 ? `+${duration(step.at - steps[index - 1].at)}` : ""))))) : null));
}

function prices(savings) {
  return panel("Money", {}, pairs([
    ["Spot hours", hoursOf(savings["spot-hours"])], ["On-demand hours", hoursOf(savings["on-demand-hours"])], savings["unknown-hours"] > 0 ? ["On machines of unknown kind", `${hoursOf(savings["unknown-hours"])} hours`] : null,
    ["Spot price", isNumber(savings["spot-price-hour"]) ? `${money(savings["spot-price-hour"], savings.currency, 4)} an hour` : "not known"], ["On-demand price", isNumber(savings["on-demand-price-hour"]) ? `${money(savings["on-demand-price-hour"], savings.currency, 4)} an hour` : "not known"],
    ["Saved", isNumber(savings.saved) ? money(savings.saved, savings.currency) : "unknown: both prices are needed"], ["Since", moment(savings.since)], savings["price-source"] ? ["Prices from", savings["price-source"]] : null,
  ]));
}

/// What happened since the JobManager began, event by event.
async function told(answer) {
  const [present, overview] = await Promise.all([getOrNothing("taskmanagers"), getOrNothing("jobs/overview")]);
  const names = new Map((overview?.jobs ?? []).map((job) => [job.jid, job.name]));
  const now = number(answer.now) ?? Date.now();
  const workers = new Map(), notices = [];
  const worker = (id) => workers.get(id) ?? workers.set(id, { id, lifecycle: "unknown", since: -1, until: -1, leaving: false, lost: false }).get(id);
  const said = [...answer.events.filter((event) => event.kind === "layout"), ...(answer["in-progress"] ?? [])];
  for (const event of answer.events) {
    const id = event["taskmanager-id"];
    if (event.kind === "joined") Object.assign(worker(id), { since: event.at, until: -1, leaving: false, lost: false, lifecycle: event.lifecycle ?? "unknown" });
    if (event.kind === "leaving") { worker(id).leaving = true; notices.push({ at: event.at, kind: "notice", "taskmanager-id": id, text: event.reason, deadline: number(event.deadline) ?? -1 }); }
    if (event.kind === "left" || event.kind === "lost") Object.assign(worker(id), { until: event.at, leaving: false, lost: event.kind === "lost", why: event.reason });
  }
  for (const each of present?.taskmanagers ?? []) Object.assign(worker(each.id), { host: each.path });
  for (const each of answer.workers ?? []) Object.assign(worker(each.id), { lifecycle: each.lifecycle, leaving: each.leaving === true, until: -1, since: each.since });
  const changes = said.map((each) => layoutChange(each, names, notices)).sort((left, right) => right.started - left.started);
  return { now, since: number(answer.since), workers: [...workers.values()], notices, changes, savings: answer.savings ?? null, losses: answer.losses, waiting: answer.waiting };
}

const causes = { evacuation: "evacuation", requested: "rescale" };

function layoutChange(each, names, notices) {
  const started = number(each.started) ?? each.at;
  const ended = isNumber(each.milliseconds) ? started + each.milliseconds : -1;
  const before = each["taskmanagers-before"] ?? [], after = each.taskmanagers ?? [];
  const left = before.filter((id) => !after.includes(id));
  const deadlines = notices.filter((notice) => left.includes(notice["taskmanager-id"]) && notice.deadline > 0 && notice.at <= started + 1000).map((notice) => notice.deadline);
  return {
    id: `${each.jid}-${each.layout}`, jid: each.jid, "job-name": names.get(each.jid), epoch: each.layout, reason: each.reason, started, ended, "taskmanager-ids": each.cause === "evacuation" ? left : [],
    cause: causes[each.cause] ?? (each.slots < each["slots-before"] ? "scale-in" : "scale-out"), status: each.status === "RECOVERED" ? "FAILED" : each.status,
    from: isNumber(each["slots-before"]) ? { slots: each["slots-before"], taskmanagers: before.length } : null, to: isNumber(each.slots) ? { slots: each.slots, taskmanagers: after.length } : null,
    moved: { subtasks: each["tasks-begun"], "key-groups": each["key-groups-moved"], "key-groups-all": each["key-groups"], bytes: number(each["state-bytes-moved"]), "precopied-bytes": number(each["state-bytes-copied-ahead"]) },
    latency: { "pause-ms": number(each["pause-milliseconds"]), "lag-before-ms": number(each["lag-before-milliseconds"]), "lag-during-ms": number(each["lag-during-milliseconds"]) },
    "margin-ms": ended > 0 && each.cause === "evacuation" && deadlines.length > 0 ? Math.min(...deadlines) - ended : null,
    steps: [{ name: "planned", at: started }, ...(isNumber(each["prepared-milliseconds"]) ? [{ name: "new tasks stand, barrier injected", at: started + each["prepared-milliseconds"] }] : []), ...(ended > 0 ? [{ name: each.status === "RECOVERED" ? "given up, the job recovers" : "the new layout runs", at: ended }] : [])],
  };
}

/// Where there is no /spot: what TaskManagers and the jobs' layout histories tell.
async function assembled() {
  const [workers, overview] = await Promise.all([getOrNothing("taskmanagers"), getOrNothing("jobs/overview")]);
  const jobs = (overview?.jobs ?? []).filter((job) => job["end-time"] < 0).slice(0, 20);
  const histories = await Promise.all(jobs.map((job) => getOrNothing(`jobs/${job.jid}/rescales/history`)));
  const changes = histories.flatMap((history, index) => (Array.isArray(history) ? history : []).map((each) => ({
    id: each.rescaleUuid, jid: jobs[index].jid, "job-name": jobs[index].name, cause: each.triggerCause, started: each.startTimestampInMillis, ended: each.endTimestampInMillis, status: each.terminalState ?? "IN_PROGRESS", reason: each.terminatedReason ? words(each.terminatedReason) : null,
  })));
  return {
    isAssembled: true, now: Date.now(), notices: [], savings: null, changes: changes.sort((left, right) => right.started - left.started),
    workers: (workers?.taskmanagers ?? []).map((worker) => ({ id: worker.id, host: worker.path, lifecycle: worker.lifecycle ?? "unknown", since: worker["connected-since"] ?? -1, until: -1, leaving: worker.leaving === true })),
  };
}
