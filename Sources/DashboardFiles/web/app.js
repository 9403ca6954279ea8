import { draw, h } from "./lib/dom.js";
import { get, getOrNothing, onTokenWanted } from "./lib/api.js";
import { askForm, dialogArea } from "./lib/dialogs.js";
import { icon } from "./lib/icons.js";
import { listenToKeys, showKeys, showPalette } from "./lib/keys.js";
import { isReadOnly, link, live, maySubmit } from "./lib/live.js";
import { empty, toastArea, trouble } from "./lib/ui.js";
import { overview } from "./pages/overview.js";
import { job } from "./pages/job.js";
import { spot } from "./pages/spot.js";
import { taskManager, taskManagers } from "./pages/taskmanagers.js";
import { jobManager } from "./pages/process.js";
import { submit } from "./pages/submit.js";

/// The shell: which page is meant by the address, fetching its figures again and again, and the frame around it.
///
/// A page is {title(model), load(parameters) -> model, view(model, parameters)}; `load` fetches, `view` only describes.

const routes = { "": overview, overview, jobs: job, spot, taskmanagers: taskManagers, taskmanager: taskManager, jobmanager: jobManager, submit };

let current = { key: null, page: null, parameters: [], model: undefined, error: null };
let turn = 0;
let timer = null;
/// For Ctrl-K: the last lists that were seen.
let known = { jobs: [], taskManagers: [] };

/// Flink's own addresses, as alerts and bookmarks have them, lead to our pages.
const flinkPages = { "job-manager": "jobmanager", "task-manager": "taskmanagers", job: "jobs" };
const flinkTabs = { log: "logs", stdout: "output", "thread-dump": "threads", overview: "graph" };
const fromFlink = ([page, ...rest]) => (flinkPages[page] ? [flinkPages[page], ...rest.filter((part) => !["running", "completed"].includes(part)).slice(0, 2).map((part) => flinkTabs[part] ?? part)] : [page, ...rest]);

function readAddress() {
  const parts = fromFlink(location.hash.replace(/^#\/?/, "").split("/").map((part) => { try { return decodeURIComponent(part); } catch { return part; } }));
  const name = parts[0] === "taskmanagers" && parts[1] ? "taskmanager" : parts[0] === "jobs" && !parts[1] ? "" : parts[0];
  const page = routes[name] ?? null;
  const parameters = parts.slice(1);
  // The figures of one job or TaskManager serve all its tabs.
  const key = `${name}/${page?.keyed ? parameters[0] ?? "" : ""}`;
  const isOther = key !== current.key;
  current = { key, page, parameters, model: isOther ? undefined : current.model, error: isOther ? null : current.error };
  live.route = current;
  if (isOther) scrollTo(0, 0);
}

async function refresh() {
  const mine = ++turn;
  const { key, page, parameters } = current;
  clearTimeout(timer);
  try {
    live.config ??= await get("config");
    const model = await page?.load?.(parameters, current.model);
    if (mine !== turn) return;
    current = { ...current, model, error: null };
    live.connected = true;
  } catch (error) {
    if (mine !== turn) return;
    if (error.status === 0) live.connected = false;
    current = { ...current, error };
    if (!(error.status >= 0)) console.error(error);
  }
  if (key === current.key) redraw();
  schedule();
}

function schedule() {
  clearTimeout(timer);
  if (live.paused || document.hidden) return;
  timer = setTimeout(refresh, current.error?.status === 0 ? 2000 : Math.max(1000, current.page?.every ?? live.config?.["refresh-interval"] ?? 3000));
}

let isDrawing = false;

function redraw() {
  // A handler that runs while drawing may ask for it again: once is enough.
  if (isDrawing) return;
  isDrawing = true;
  try { draw(document.getElementById("app"), shell()); } finally { isDrawing = false; }
  const title = current.page?.title?.(current.model, current.parameters);
  document.title = title ? `${title} · Swiftwater` : "Swiftwater";
}

const places = [
  { name: "overview", title: "Overview", icon: "overview", isHere: (key) => /^(overview|jobs)?\//.test(key) },
  { name: "spot", title: "Spot", icon: "spot" },
  { name: "taskmanagers", title: "TaskManagers", icon: "machines", isHere: (key) => key.startsWith("taskmanager") },
  { name: "jobmanager", title: "JobManager", icon: "manager" },
  { name: "submit", title: "Submit SQL", icon: "submit", isHidden: () => live.config !== null && !maySubmit() },
];

function shell() {
  const isDark = (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  return h("div", { class: "shell" },
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); document.getElementById("main").focus(); } }, "Skip to content"),
    h("aside", { class: "side" },
      h("a", { class: "brand", href: link("overview") }, h("img", { src: "icon.svg", alt: "", width: "28", height: "28" }), h("span", {}, "Swiftwater")),
      h("nav", { class: "places", "aria-label": "Pages" }, places.filter((place) => !place.isHidden?.()).map((place) => h("a", {
        href: link(place.name), "aria-current": (place.isHere?.(current.key) ?? current.key.startsWith(`${place.name}/`)) ? "page" : null,
      }, icon(place.icon), h("span", {}, place.title)))),
      h("div", { class: "side-foot" },
        isReadOnly() ? h("p", { class: "read-only", title: "The server accepts no changes from here." }, icon("lock"), h("span", {}, "Read-only")) : null,
        h("div", { class: "side-tools" },
          h("button", { type: "button", class: "tool", title: "Go to anything (Ctrl-K)", "aria-label": "Go to anything", onclick: () => palette() }, icon("search")),
          h("button", { type: "button", class: "tool", title: live.paused ? "Go on (p)" : "Pause (p)", "aria-label": live.paused ? "Go on refreshing" : "Pause refreshing", "aria-pressed": String(live.paused), onclick: togglePause }, icon(live.paused ? "play" : "pause")),
          h("button", { type: "button", class: "tool", title: "Light or dark (d)", "aria-label": isDark ? "Light colours" : "Dark colours", onclick: toggleTheme }, icon(isDark ? "sun" : "moon")),
          h("button", { type: "button", class: "tool is-keys", title: "Keys (?)", "aria-label": "Keys", onclick: showKeys }, h("kbd", {}, "?"))),
        h("p", { class: `pulse ${live.connected ? (live.paused ? "is-paused" : "is-live") : "is-lost"}`, role: "status" }, h("i"), h("span", {}, live.connected ? (live.paused ? "Paused" : "Live") : "Not connected")),
        live.config ? h("p", { class: "version quiet", title: live.config["flink-revision"] }, `Version ${live.config["flink-version"]}`) : null)),
    h("main", { id: "main", tabindex: "-1" },
      live.connected ? null : h("p", { class: "banner", role: "alert" }, "The JobManager does not answer. Figures are from before; trying again."),
      inside()),
    dialogArea(), toastArea());
}

function inside() {
  const { page, model, error, parameters } = current;
  if (!page) return empty("There is no such page.", h("a", { href: link("overview") }, "Overview"));
  if (model === undefined && page.load) return error ? trouble(error) : h("div", { class: "skeleton", "aria-label": "Loading" }, h("i"), h("i"), h("i"));
  let described;
  try { described = page.view(model, parameters); } catch (unexpected) {
    // An answer that we did not expect spoils this page only; the next one may be whole again.
    console.error(unexpected);
    described = trouble({ message: `The server's answer could not be shown: ${unexpected.message}` });
  }
  return h("div", { class: "page", key: current.key }, error && error.status !== 0 ? trouble(error) : null, described);
}

function togglePause() {
  live.paused = !live.paused;
  clearTimeout(timer);
  redraw();
  if (!live.paused) refresh();
}

function toggleTheme() {
  const root = document.documentElement;
  const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* It lives as long as the page then. */ }
  redraw();
}

function palette() {
  const loaded = Promise.all([getOrNothing("jobs/overview"), getOrNothing("taskmanagers")]);
  loaded.then(([jobs, workers]) => {
    known = { jobs: jobs?.jobs ?? [], taskManagers: workers?.taskmanagers ?? [] };
    showPalette(() => [
      ...known.jobs.map((each) => ({ title: each.name, detail: `Job, ${each.state.toLowerCase()}`, path: ["jobs", each.jid] })),
      ...known.taskManagers.map((each) => ({ title: each.id, detail: "TaskManager", path: ["taskmanagers", each.id] })),
    ]);
  });
}

live.redraw = redraw;
live.refresh = refresh;
onTokenWanted(async (isWrong) => {
  const given = await askForm("Sign in", {
    text: isWrong ? "The server refused that token." : "This server wants its bearer token (rest.authentication.token).",
    fields: [{ name: "token", title: "Token", kind: "password", hint: "Kept until this tab is closed." }], confirm: "Sign in",
    check: (values) => (values.token.trim() === "" ? "A token is needed." : null),
  });
  return given?.token.trim() ?? null;
});
listenToKeys({ toggleTheme, togglePause }, palette);
addEventListener("hashchange", () => { readAddress(); redraw(); refresh(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else if (!live.paused) refresh(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
readAddress();
draw(document.getElementById("app"));
redraw();
refresh();
