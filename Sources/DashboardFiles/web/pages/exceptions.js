import { h } from "../lib/dom.js";
import { getTail, getIfThere } from "../lib/api.js";
import { ago, moment } from "../lib/format.js";
import { around, logLines, parseLog, tailBytes } from "../lib/logs.js";
import { link, live } from "../lib/live.js";
import { button, empty, panel } from "../lib/ui.js";

/// What went wrong: newest first, with what the logs said around that moment.

const opened = new Map();
const shortest = 160;

export const exceptionsTab = {
  load: async (job) => ({ answer: await getIfThere(`jobs/${job.jid}/exceptions?maxExceptions=100`) }),

  view({ job, figures: { answer } }) {
    if (!answer) return empty("This server keeps no exceptions.");
    const entries = answer.exceptionHistory?.entries ?? [];
    // What the job waits for stands where Flink has the last failure: "has no free slot …", "waits for task slots …".
    const root = firstLine(answer["root-exception"]);
    const waits = /^(has no|waits) /.test(root) ? h("p", { class: "banner is-warm" }, `The job ${root}.`) : null;
    if (entries.length === 0) return [waits, empty(root && !waits ? root : "Nothing went wrong.", job.restarts > 0 ? "Earlier failures are forgotten." : null)];
    return [
      waits,
      h("ol", { class: "exceptions" }, entries.map((entry) => one(job, entry))),
      answer.exceptionHistory.truncated ? h("p", { class: "quiet" }, "Older ones are not kept.") : null,
    ];
  },
};

const firstLine = (text) => String(text ?? "").split("\n")[0];
/// Our servers' own word for it (`externalSystem`), else the class without its package.
const kindOf = ({ kind, exceptionName }) => (kind ? kind.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase() : String(exceptionName ?? "").split(".").pop());

function one(job, entry) {
  const key = `${job.jid} ${entry.timestamp} ${entry.taskName} ${entry.exceptionName}`;
  const view = opened.get(key) ?? {};
  const isOpen = view.isOpen ?? false;
  const toggle = () => { opened.set(key, { ...view, isOpen: !isOpen }); live.redraw(); };
  const words = firstLine(entry.stacktrace).replace(`${entry.exceptionName}: `, "");
  return h("li", { key, class: "exception" },
    h("button", { type: "button", class: "exception-head", "aria-expanded": String(isOpen), onclick: toggle },
      h("time", { class: "quiet", title: moment(entry.timestamp) }, moment(entry.timestamp), h("small", {}, ago(entry.timestamp, job.now))),
      h("span", {}, h("strong", {}, words.length > shortest && !isOpen ? `${words.slice(0, shortest)} …` : words), h("span", { class: "quiet" }, [kindOf(entry), entry.taskName, entry.taskManagerId && !/^\(/.test(entry.taskManagerId) ? entry.taskManagerId : null].filter(Boolean).join(" · ")))),
    entry.concurrentExceptions?.length > 0 ? h("p", { class: "quiet exception-more" }, `${entry.concurrentExceptions.length} more at the same time`) : null,
    isOpen ? h("div", { class: "exception-body" },
      Object.keys(entry.failureLabels ?? {}).length > 0 ? h("p", {}, Object.entries(entry.failureLabels).map(([name, value]) => h("span", { class: "chip" }, `${name}: ${value}`))) : null,
      h("pre", { class: "log", tabindex: "0" }, entry.stacktrace),
      (entry.concurrentExceptions ?? []).map((other) => h("details", {}, h("summary", {}, `${kindOf(other)} ${other.taskName ?? ""}`), h("pre", { class: "log", tabindex: "0" }, other.stacktrace))),
      h("div", { class: "row" },
        button("Log lines around it", { onclick: () => showLines(key, entry) }),
        entry.taskManagerId && !/^\(/.test(entry.taskManagerId) ? h("a", { class: "button", href: link("taskmanagers", entry.taskManagerId) }, "TaskManager") : null),
      view.logs ? view.logs.map((log) => panel(log.title, {}, log.lines === null ? empty("This log is not handed out, or its process is gone.") : log.lines.length === 0 ? empty("Nothing was logged in the seconds around it.", "The log may have been rolled since.") : logLines(log.lines))) : view.isReading ? h("p", { class: "quiet" }, "Reading …") : null) : null);
}

/// The lines of the JobManager and of the TaskManager that failed, five seconds before to two after.
async function showLines(key, entry) {
  opened.set(key, { ...opened.get(key), isReading: true });
  live.redraw();
  const read = async (title, path) => {
    const text = await getTail(path, 4 * tailBytes).catch(() => undefined);
    return { title, lines: text === undefined ? null : around(parseLog(text, live.config?.["timezone-offset"] ?? 0), entry.timestamp) };
  };
  const logs = await Promise.all([
    read("JobManager", "jobmanager/log"),
    ...(entry.taskManagerId && !/^\(/.test(entry.taskManagerId) ? [read(entry.taskManagerId, `taskmanagers/${encodeURIComponent(entry.taskManagerId)}/log`)] : []),
  ]);
  opened.set(key, { ...opened.get(key), isReading: false, logs });
  live.redraw();
}
