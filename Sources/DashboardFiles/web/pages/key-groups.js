import { h } from "../lib/dom.js";
import { bytes, count, dash, isNumber, number, percent, perSecond } from "../lib/format.js";
import { live } from "../lib/live.js";
import { choice, empty, meter, pairs, stat, stats, table } from "../lib/ui.js";

/// How evenly the keys fall: by key group where the server tells (`…/key-groups`), by subtask otherwise.

let by = "records";

export function keyGroups({ vertex, details, groups, skew }) {
  const rows = groups?.groups ? bySubtask(groups.groups) : Array.isArray(groups?.subtasks) ? groups.subtasks.map((each) => ({
    subtask: each.subtask, records: number(each.records) ?? 0, rate: number(each["records-per-second"]), bytes: number(each["state-bytes"]), read: number(each["read-bytes"]), groups: each["key-groups"],
  })) : details.subtasks.map((subtask) => ({
    subtask: subtask.subtask, records: number(subtask.metrics["read-records"]) || number(subtask.metrics["write-records"]) || 0, bytes: number(subtask.metrics["state-bytes"]), groups: null,
  }));
  const total = rows.reduce((sum, row) => sum + (row[by] ?? 0), 0);
  const mean = total / Math.max(1, rows.length);
  const most = Math.max(0, ...rows.map((row) => row[by] ?? 0));
  const told = (skew ?? []).find((entry) => entry.id === "numRecordsIn");
  if (rows.length === 0) return empty("The vertex has no subtasks now.");
  return [
    stats(
      stat("Fullest subtask", mean > 0 ? `${(most / mean).toFixed(2)} ×` : dash, "of the mean", mean > 0 && most / mean > 1.5 ? "warm" : null),
      groups?.groups ? stat("Fullest key group", percentOf(groups.groups, by), "of all") : null,
      told && isNumber(number(told.skew)) ? stat("Skew", `${Math.round(number(told.skew))} %`, "as Flink counts it") : null,
      stat("Key groups", vertex.maxParallelism > 0 ? String(vertex.maxParallelism) : dash, `over ${vertex.parallelism} subtasks`)),
    h("div", { class: "row" }, choice("By", [{ id: "records", title: "Rows" }, { id: "bytes", title: "State" }], by, (picked) => { by = picked; live.redraw(); })),
    groups?.groups ? strips(groups.groups) : null,
    table({
      id: "Key groups", rows, key: (row) => row.subtask,
      columns: [
        { title: "Subtask", value: (row) => row.subtask, isNumber: true },
        groups ? { title: "Key groups", value: (row) => row.groups, isNumber: true } : null,
        { title: "Rows", value: (row) => row.records, cell: (row) => count(row.records), isNumber: true },
        rows.some((row) => isNumber(row.rate)) ? { title: "Rows a second", value: (row) => row.rate, cell: (row) => perSecond(row.rate), isNumber: true } : null,
        rows.some((row) => isNumber(row.read)) ? { title: "Read", value: (row) => row.read, cell: (row) => bytes(row.read), isNumber: true } : null,
        { title: "State", value: (row) => row.bytes, cell: (row) => bytes(row.bytes), isNumber: true },
        { title: "Share", value: (row) => row[by], cell: (row) => meter(total > 0 ? (row[by] ?? 0) / total : 0, percent(total > 0 ? (row[by] ?? 0) / total : null), (row[by] ?? 0) > 1.5 * mean ? "warm" : "accent") },
      ],
    }),
    groups?.groups ? null : groups?.owners ? owners(groups.owners) : null,
  ];
}

/// Which key groups each subtask has, as ranges.
function owners(list) {
  const ranges = new Map();
  list.forEach((owner, group) => {
    const own = ranges.get(owner) ?? ranges.set(owner, []).get(owner);
    if (own.at(-1)?.to === group - 1) own.at(-1).to = group; else own.push({ from: group, to: group });
  });
  const text = (own) => own.slice(0, 40).map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`)).join(", ") + (own.length > 40 ? " …" : "");
  return h("details", {}, h("summary", {}, "Which key groups are where"), pairs([...ranges].sort((left, right) => left[0] - right[0]).map(([owner, own]) => [`Subtask ${owner}`, text(own)])));
}

function bySubtask(groups) {
  const rows = new Map();
  for (const group of groups) {
    const row = rows.get(group.subtask) ?? { subtask: group.subtask, records: 0, bytes: 0, groups: 0 };
    row.records += group.records ?? 0;
    row.bytes += group["state-bytes"] ?? 0;
    row.groups += 1;
    rows.set(group.subtask, row);
  }
  return [...rows.values()].sort((left, right) => left.subtask - right.subtask);
}

const column = { records: "records", bytes: "state-bytes" };

function percentOf(groups, name) {
  const values = groups.map((group) => group[column[name]] ?? 0);
  const total = values.reduce((sum, value) => sum + value, 0);
  return total > 0 ? `${(Math.max(...values) / total * 100).toFixed(1)} %` : dash;
}

/// A line for each subtask, a cell for each of its key groups, darker where there is more.
function strips(groups) {
  const most = Math.max(1, ...groups.map((group) => group[column[by]] ?? 0));
  const lines = Map.groupBy([...groups].sort((left, right) => left.subtask - right.subtask || left.group - right.group), (group) => group.subtask);
  return h("div", { class: "key-strips", role: "img", "aria-label": "Key groups of each subtask, darker where there is more" }, [...lines].map(([subtask, own]) => h("div", { class: "key-strip", key: subtask },
    h("span", {}, subtask), h("span", {}, own.map((group) => h("i", {
      key: group.group, class: `heat-${Math.ceil((group[column[by]] ?? 0) / most * 9)}`,
      title: `Key group ${group.group} of subtask ${subtask}: ${by === "records" ? `${count(group.records)} rows` : bytes(group["state-bytes"])}`,
    }))))));
}
