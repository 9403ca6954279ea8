import { h } from "../lib/dom.js";
import { bytes, count, dash, isNumber, number, percent, perSecond } from "../lib/format.js";
import { live } from "../lib/live.js";
import { choice, empty, meter, pairs, stat, stats, table } from "../lib/ui.js";

/// How evenly the keys fall: by key group where the server tells (`…/key-groups`), by subtask otherwise.

let by = "records";

export function keyGroups({ vertex, details, groups, skew }) {
  const all = each(groups);
  const rows = Array.isArray(groups?.subtasks) ? groups.subtasks.map((each) => ({
    subtask: each.subtask, records: number(each.records) ?? 0, rate: number(each["records-per-second"]), bytes: number(each["state-bytes"]), read: number(each["read-bytes"]), groups: each["key-groups"],
    hottest: each["hottest-key-group"], share: number(each["hottest-share"]),
  })) : details.subtasks.map((subtask) => ({
    subtask: subtask.subtask, records: number(subtask.metrics["read-records"]) || number(subtask.metrics["write-records"]) || 0, bytes: number(subtask.metrics["state-bytes"]), groups: null,
  }));
  const total = rows.reduce((sum, row) => sum + (row[by] ?? 0), 0);
  const mean = total / Math.max(1, rows.length);
  const top = Math.max(0, ...rows.map((row) => row[by] ?? 0));
  const told = (skew ?? []).find((entry) => entry.id === "numRecordsIn");
  if (rows.length === 0) return empty("The vertex has no subtasks now.");
  return [
    stats(
      stat("Fullest subtask", mean > 0 ? `${(top / mean).toFixed(2)} ×` : dash, "of the mean", mean > 0 && top / mean > 1.5 ? "warm" : null),
      all ? fullest(all) : null,
      told && isNumber(number(told.skew)) ? stat("Skew", `${Math.round(number(told.skew))} %`, "as Flink counts it") : null,
      stat("Key groups", vertex.maxParallelism > 0 ? String(vertex.maxParallelism) : dash, `over ${vertex.parallelism} ${vertex.parallelism === 1 ? "subtask" : "subtasks"}`)),
    h("div", { class: "row" }, choice("By", [{ id: "records", title: "Rows" }, { id: "rate", title: "Rows a second" }, { id: "bytes", title: "State" }], by, (picked) => { by = picked; live.redraw(); })),
    all ? strips(all) : null,
    all && by === "bytes" && all.every((group) => group.bytes === null) ? h("p", { class: "quiet" }, "State by key group is known from the first checkpoint on.") : null,
    table({
      id: "Key groups", rows, key: (row) => row.subtask,
      columns: [
        { title: "Subtask", value: (row) => row.subtask, isNumber: true },
        groups ? { title: "Key groups", value: (row) => row.groups, isNumber: true } : null,
        { title: "Rows", value: (row) => row.records, cell: (row) => count(row.records), isNumber: true },
        rows.some((row) => isNumber(row.rate)) ? { title: "Rows a second", value: (row) => row.rate, cell: (row) => perSecond(row.rate), isNumber: true } : null,
        rows.some((row) => isNumber(row.read)) ? { title: "Read", value: (row) => row.read, cell: (row) => bytes(row.read), isNumber: true } : null,
        { title: "State", value: (row) => row.bytes, cell: (row) => bytes(row.bytes), isNumber: true },
        rows.some((row) => isNumber(row.share)) ? { title: "Hottest key group", value: (row) => row.share, cell: (row) => (isNumber(row.share) ? `${row.hottest}: ${percent(row.share)}` : dash), isNumber: true } : null,
        { title: "Share", value: (row) => row[by], cell: (row) => meter(total > 0 ? (row[by] ?? 0) / total : 0, percent(total > 0 ? (row[by] ?? 0) / total : null), (row[by] ?? 0) > 1.5 * mean ? "warm" : "accent") },
      ],
    }),
    groups?.owners ? owners(groups.owners) : null,
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

/// The columns of an answer as one object a key group; null where nothing is counted by key group.
function each(groups) {
  if (!Array.isArray(groups?.owners) || !Array.isArray(groups.records)) return null;
  return groups.owners.map((subtask, group) => ({ group, subtask, records: groups.records[group] ?? null, rate: groups["records-per-second"]?.[group] ?? null, bytes: groups["state-bytes"]?.[group] ?? null }));
}

const sum = (groups) => groups.reduce((total, group) => total + (group[by] ?? 0), 0);
const most = (groups) => groups.reduce((best, group) => ((group[by] ?? 0) > (best?.[by] ?? 0) ? group : best), null);

function fullest(all) {
  const total = sum(all);
  const best = most(all);
  if (!best || total <= 0) return stat("Fullest key group", dash);
  const share = best[by] / total;
  const times = share * all.length;
  // More than one subtask's part: no layout can share that out.
  const subtasks = new Set(all.map((group) => group.subtask)).size;
  return stat("Fullest key group", `${times.toFixed(times < 10 ? 1 : 0)} ×`, `the mean; number ${best.group}: ${(share * 100).toFixed(1)} % of all`, subtasks > 1 && share * subtasks > 1 ? "warm" : null);
}

/// More cells than this a subtask say nothing to the eye, or find no room: neighbours share one then.
const mostCells = () => (innerWidth < 700 ? 100 : 240);

/// A line for each subtask, a cell for each of its key groups, darker where there is more.
function strips(all) {
  const lines = [...Map.groupBy(all, (group) => group.subtask)].sort((left, right) => left[0] - right[0]).map(([subtask, own]) => {
    const size = Math.ceil(own.length / mostCells());
    return [subtask, Array.from({ length: Math.ceil(own.length / size) }, (_, index) => own.slice(index * size, (index + 1) * size))];
  });
  const highest = Math.max(1e-9, ...lines.flatMap(([, cells]) => cells.map((cell) => most(cell)?.[by] ?? 0)));
  const word = (group) => (by === "bytes" ? bytes(group.bytes) : by === "rate" ? perSecond(group.rate) : `${count(group.records)} rows`);
  return h("div", { class: "key-strips", role: "img", "aria-label": "Key groups of each subtask, darker where there is more" }, lines.map(([subtask, cells]) => h("div", { class: "key-strip", key: subtask },
    h("span", {}, subtask), h("span", {}, cells.map((cell) => h("i", {
      key: cell[0].group, class: `heat-${Math.ceil((most(cell)?.[by] ?? 0) / highest * 9)}`,
      title: cell.length === 1 ? `Key group ${cell[0].group} of subtask ${subtask}: ${word(cell[0])}` : `Key groups ${cell[0].group} to ${cell.at(-1).group} of subtask ${subtask}: at most ${word(most(cell) ?? cell[0])}`,
    }))))));
}
