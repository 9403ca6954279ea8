import { h } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { ago, bytes, dash, isNumber, number, short } from "../lib/format.js";
import { link, live } from "../lib/live.js";
import { filter, meter, pairs, panel, stat, stats, table } from "../lib/ui.js";
import { slotDots } from "./overview.js";
import { process } from "./process.js";

/// All TaskManagers, and one of them.

let find = "";

export const taskManagers = {
  title: () => "TaskManagers",
  load: () => get("taskmanagers"),

  view({ taskmanagers: all }) {
    const wanted = find.toLowerCase();
    const rows = all.filter((each) => `${each.id} ${each.path}`.toLowerCase().includes(wanted));
    return [
      h("header", { class: "page-head" }, h("h1", {}, "TaskManagers"), filter("Find a TaskManager", find, (text) => { find = text; live.redraw(); })),
      panel(null, {}, table({
        id: "TaskManagers", rows, key: (each) => each.id, href: (each) => link("taskmanagers", each.id), none: all.length === 0 ? "No TaskManager has registered." : "No TaskManager matches.",
        columns: [
          { title: "Id", value: (each) => each.id, cell: (each) => [each.id, each.leaving ? h("span", { class: "chip tone-warm" }, "leaving") : null] },
          { title: "Address", value: (each) => each.path, isCode: true },
          { title: "Slots", value: (each) => each.slotsNumber - each.freeSlots, cell: (each) => slotDots(each) },
          { title: "Free", value: (each) => each.freeSlots, isNumber: true },
          { title: "Processors", value: (each) => each.hardware?.cpuCores, isNumber: true },
          { title: "Memory", value: (each) => each.memoryConfiguration?.totalProcessMemory ?? each.hardware?.physicalMemory, cell: (each) => bytes(each.memoryConfiguration?.totalProcessMemory ?? each.hardware?.physicalMemory), isNumber: true },
          { title: "Last heard", value: (each) => each.timeSinceLastHeartbeat, cell: (each) => ago(each.timeSinceLastHeartbeat), isNumber: true },
          all.some((each) => each["instance-type"]) ? { title: "Machine", value: (each) => each["instance-type"] ?? "", cell: (each) => [each["instance-type"], each.zone, each.lifecycle === "spot" ? "Spot" : each.lifecycle === "on-demand" ? "on demand" : null].filter(Boolean).join(" · ") } : null,
          all.some((each) => each.version) ? { title: "Version", value: (each) => each.version } : null,
        ],
      })),
    ];
  },
};

/// What `process` needs to know of a TaskManager.
const kind = {
  base: (id) => `taskmanagers/${encodeURIComponent(id)}`,
  to: (id, tab) => link("taskmanagers", id, tab),
  first: ["about", "About"],

  about(details) {
    const memory = details.memoryConfiguration ?? {};
    const parts = Object.entries({
      frameworkHeap: "Framework heap", taskHeap: "Task heap", frameworkOffHeap: "Framework off-heap", taskOffHeap: "Task off-heap", networkMemory: "Network", managedMemory: "Managed", jvmMetaspace: "Metaspace", jvmOverhead: "Overhead",
      state: "State", buffers: "Buffers", checkpoints: "Checkpoints under way", other: "Other",
    }).filter(([name]) => memory[name] > 0);
    const whole = memory.totalProcessMemory;
    return [
      parts.length > 0 ? panel("Memory", {}, h("ul", { class: "bars" }, parts.map(([name, title]) => h("li", {}, h("span", {}, title), meter(memory[name] / whole, bytes(memory[name])))))) : null,
      details.allocatedSlots?.length > 0 ? panel("Slots in use", {}, table({
        id: "Slots in use", rows: details.allocatedSlots.map((slot, index) => ({ ...slot, index })), key: (slot) => slot.index,
        columns: [{ title: "Slot", value: (slot) => slot.index, isNumber: true }, { title: "Job", value: (slot) => slot.jobId, cell: (slot) => h("a", { href: link("jobs", slot.jobId) }, short(slot.jobId)) }, { title: "Tasks", value: (slot) => slot.assignedTasks, isNumber: true }],
      })) : null,
      panel("Process", {}, pairs([
        ["Id", h("code", {}, details.id)], ["Address", h("code", {}, details.path)], ["Data port", details.dataPort > 0 ? String(details.dataPort) : null], ["Processors", String(details.hardware?.cpuCores ?? dash)],
        ["Memory", bytes(whole ?? details.hardware?.physicalMemory)], isNumber(details.hardware?.freeMemory) ? ["Free memory", bytes(details.hardware.freeMemory)] : null, details.version ? ["Version", details.version] : null,
        details["instance-type"] ? ["Instance", `${details["instance-type"]} in ${details.zone ?? "?"}, ${details.lifecycle ?? ""}`] : null,
      ])),
    ];
  },

  head(details, figures) {
    const heap = { used: number(details.metrics?.heapUsed), most: number(details.metrics?.heapMax) };
    return stats(
      stat("Slots", slotDots(details), `${details.slotsNumber - details.freeSlots} of ${details.slotsNumber} used`), stat("Last heard", ago(details.timeSinceLastHeartbeat)),
      isNumber(figures.cpu) ? stat("Processor", `${Math.round(figures.cpu * 100)} %`) : null, heap.used ? stat("Memory used", bytes(heap.used), heap.most > 0 ? `of ${bytes(heap.most)}` : null) : null,
      details.leaving ? stat("Leaving", "being vacated", h("a", { href: link("spot") }, "What moves"), "warm") : null);
  },
};

export const taskManager = {
  keyed: true,
  title: (_, [id]) => id,
  async load(parameters, before) {
    const [id] = parameters;
    const details = await get(kind.base(id));
    return { details, ...(await process.load(kind, parameters, before)) };
  },
  view: (model, parameters) => [
    h("header", { class: "page-head" }, h("div", {}, h("p", { class: "crumbs" }, h("a", { href: link("taskmanagers") }, "TaskManagers"), " /"), h("h1", {}, parameters[0]))),
    process.view(kind, model, parameters),
  ],
};
