import { h } from "./dom.js";
import { ask, isDialogOpen } from "./dialogs.js";
import { icon } from "./icons.js";
import { go, live } from "./live.js";

/// The keyboard: `g` then a letter goes to a page, `/` finds, Ctrl-K lists everything.

const pages = [
  { key: "o", title: "Overview", path: ["overview"] }, { key: "s", title: "Spot", path: ["spot"] }, { key: "t", title: "TaskManagers", path: ["taskmanagers"] },
  { key: "m", title: "JobManager", path: ["jobmanager"] }, { key: "n", title: "Submit SQL", path: ["submit"] },
];

const others = [
  ["⌘K or Ctrl-K", "Go to anything"], ["/", "Find in this page's list"], ["r", "Refresh now"], ["p", "Pause or go on"], ["d", "Light or dark"], ["?", "These keys"],
  ["← →", "In tabs, charts and the graph"], ["Esc", "Close"],
];

let waitsForPage = false;

/// `actions`: {toggleTheme, togglePause}.
export function listenToKeys(actions, openPalette) {
  addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!isDialogOpen()) openPalette();
      return;
    }
    if (event.metaKey || event.ctrlKey || event.altKey || isDialogOpen() || event.target.closest?.("input,textarea,select,[contenteditable]")) return;
    if (waitsForPage) {
      waitsForPage = false;
      const page = pages.find((candidate) => candidate.key === event.key);
      if (page) go(...page.path);
      return;
    }
    const act = {
      g: () => { waitsForPage = true; setTimeout(() => { waitsForPage = false; }, 1500); },
      "/": () => document.querySelector("[data-filter]")?.focus(), r: () => live.refresh(), p: actions.togglePause, d: actions.toggleTheme, "?": showKeys,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

export function showKeys() {
  const row = (key, title) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, title));
  return ask("Keys", () => h("dl", { class: "keys" }, pages.map((page) => row(`g ${page.key}`, page.title)), others.map(([key, title]) => row(key, title))));
}

/// `things()`: what is listed besides the pages, [{title, detail, path}].
export function showPalette(things) {
  let text = "";
  let chosen = 0;
  const all = [...pages.map((page) => ({ title: page.title, detail: "Page", path: page.path })), ...things()];
  return ask("Go to", (finish) => {
    const found = all.filter((thing) => text.toLowerCase().split(/\s+/).every((word) => `${thing.title} ${thing.detail}`.toLowerCase().includes(word))).slice(0, 12);
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    const take = (thing) => { if (thing) { finish(null); go(...thing.path); } };
    return h("div", { class: "palette" },
      h("label", { class: "filter" }, icon("search"), h("input", {
        type: "text", placeholder: "Job, TaskManager or page", "aria-label": "Go to", autofocus: true, value: text,
        oninput: (event) => { text = event.target.value; chosen = 0; live.redraw(); },
        onkeydown: (event) => {
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length);
            live.redraw();
          } else if (event.key === "Enter") {
            event.preventDefault();
            take(found[chosen]);
          }
        },
      })),
      h("ul", { role: "listbox" }, found.map((thing, index) => h("li", { role: "option", "aria-selected": String(index === chosen), onclick: () => take(thing) }, h("span", {}, thing.title), h("small", {}, thing.detail)))));
  }, { kind: "is-palette" });
}
