import { h } from "./dom.js";
import { getTail, save } from "./api.js";
import { live } from "./live.js";
import { button, choice, empty, filter, toast } from "./ui.js";

/// Log files as lines. Flink's layout is `2026-11-22 11:23:18,858 INFO  logger [] - text`; what follows without a time belongs to the
/// line before. JSON lines are read too.

const layout = /^(\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2})[.,](\d{3})\S*\s+(?:\[?)(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|NOTICE|CRITICAL)(?:\]?)\s+/;
export const tailBytes = 400_000;

/// [{at (ms, in the server's zone), level, text}]
export function parseLog(text, zoneOffset = 0) {
  const lines = [];
  for (const raw of text.split("\n")) {
    if (raw === "") continue;
    const match = layout.exec(raw);
    if (match) {
      lines.push({ at: Date.parse(`${match[1].replace(" ", "T")}.${match[2]}Z`) - zoneOffset, level: normal(match[3]), text: raw });
      continue;
    }
    const record = raw.startsWith("{") ? readJSON(raw) : null;
    if (record) lines.push({ at: Date.parse(record.timestamp ?? record.time ?? record["@timestamp"] ?? ""), level: normal(record.level ?? "INFO"), text: raw });
    else if (lines.length > 0) lines[lines.length - 1].text += `\n${raw}`;
    else lines.push({ at: NaN, level: "INFO", text: raw });
  }
  return lines;
}

function readJSON(text) { try { return JSON.parse(text); } catch { return null; } }

function normal(level) {
  const upper = String(level).toUpperCase();
  return { WARNING: "WARN", FATAL: "ERROR", CRITICAL: "ERROR", NOTICE: "INFO", TRACE: "DEBUG" }[upper] ?? upper;
}

/// The lines within `before`..`after` ms of a moment.
export function around(lines, at, before = 5_000, after = 2_000) {
  return lines.filter((line) => line.at >= at - before && line.at <= at + after);
}

export function logLines(lines) {
  return h("pre", { class: "log", tabindex: "0" }, lines.map((line) => h("span", { class: `log-line level-${line.level}` }, `${line.text}\n`)));
}

/// What a page keeps about a log that it shows.
export function logView(path) { return { path, text: null, level: "all", find: "", follows: true }; }

export async function loadLog(view) {
  if (!view.follows && view.text !== null) return;
  view.text = (await getTail(view.path, tailBytes)) ?? false;
}

/// Opens at the newest line, and follows the end while the reader is there.
function follow(element, view) {
  if (!view.follows || element.seen === view.text) return;
  const isFirst = !element.seen;
  element.seen = view.text;
  // It has no size before it is part of the page.
  const scroll = () => {
    const pre = element.firstChild;
    if (!pre) return;
    if (isFirst || pre.scrollTop + pre.clientHeight > (element.was ?? 0) - 40) pre.scrollTop = pre.scrollHeight;
    element.was = pre.scrollHeight;
  };
  if (isFirst) requestAnimationFrame(scroll); else scroll();
}

export function showLog(view) {
  if (view.text === null) return empty("Reading …");
  if (view.text === false) return empty("This server does not hand out this log.");
  const ranks = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 };
  const least = { all: 0, warn: 2, error: 3 }[view.level];
  const wanted = view.find.toLowerCase();
  const lines = parseLog(view.text).filter((line) => (ranks[line.level] ?? 1) >= least && (wanted === "" || line.text.toLowerCase().includes(wanted))).slice(-2000);
  return h("div", { class: "log-view" },
    h("div", { class: "log-tools" },
      filter("Find in the log", view.find, (text) => { view.find = text; live.redraw(); }),
      choice("Level", [{ id: "all", title: "All" }, { id: "warn", title: "Warnings" }, { id: "error", title: "Errors" }], view.level, (level) => { view.level = level; live.redraw(); }),
      button(view.follows ? "Following" : "Follow", { onclick: () => { view.follows = !view.follows; live.refresh(); }, "aria-pressed": String(view.follows) }),
      button("Whole file", { icon: "download", onclick: () => save(view.path, `${view.path.replaceAll(/[^\w.-]+/g, "-")}.txt`).catch((error) => toast(error.message, "bad")) })),
    lines.length === 0 ? empty(view.text === "" ? "The file is empty." : "No line matches.") : h("div", {
      class: "log-scroll",
      ref: (element) => follow(element, view),
    }, logLines(lines)));
}
