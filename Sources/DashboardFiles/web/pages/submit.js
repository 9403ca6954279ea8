import { h } from "../lib/dom.js";
import { ApiError, getOrNothing, post, postJSON, remove, upload } from "../lib/api.js";
import { askForm } from "../lib/dialogs.js";
import { moment, planText } from "../lib/format.js";
import { graph } from "../lib/graph.js";
import { go, live, maySubmit } from "../lib/live.js";
import { editor, place } from "../lib/editor.js";
import { button, empty, panel, table, toast } from "../lib/ui.js";
import { icon } from "../lib/icons.js";

/// SQL with its plan as it is typed, and stored scripts (where Flink has jars).

const example = `SET 'pipeline.name' = 'highest price by customer';
SET 'parallelism.default' = '2';

CREATE TABLE orders (
  id BIGINT, customer INT, price DOUBLE, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '2' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'fields.customer.min' = '0', 'fields.customer.max' = '99');

CREATE TABLE highest (customer INT, price DOUBLE, orders BIGINT) WITH ('connector' = 'blackhole');

INSERT INTO highest
SELECT customer, MAX(price), COUNT(*)
FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY customer, window_start, window_end;
`;

const ui = { sql: null, plans: [], texts: [], error: null, explained: null, canExplain: true, isSending: false, savepoint: "", allowsLost: false };
let wait = null;
let asked = null;

export const submit = {
  title: () => "Submit SQL",
  every: 10_000,

  async load() {
    if (ui.sql === null) {
      try { ui.sql = sessionStorage.getItem("sql") ?? ""; } catch { ui.sql = ""; }
      if (ui.sql !== "") explainSoon();
    }
    return { stored: await getOrNothing("jars") };
  },

  view({ stored }) {
    if (!maySubmit()) return empty("This server is read-only.", "Jobs cannot be submitted from here.");
    return [
      h("header", { class: "page-head" }, h("h1", {}, "Submit SQL"), h("div", { class: "actions" },
        ui.sql === "" ? button("Put in an example", { onclick: () => type(example) }) : null,
        button(ui.isSending ? "Submitting …" : "Submit", { kind: "is-main", icon: "play", onclick: send, disabled: ui.isSending || ui.sql.trim() === "", title: "Ctrl-Enter" }))),
      h("div", { class: "submit" },
        panel(null, { class: "is-editor" },
          editor({ text: ui.sql, error: ui.error, oninput: type, onsubmit: send }),
          h("p", { class: `verdict ${ui.error ? "is-bad" : ui.explained === ui.sql && ui.plans.length > 0 ? "is-good" : ""}`, role: "status" }, verdict()),
          h("details", { class: "more" }, h("summary", {}, "Start from a savepoint"),
            h("label", { class: "field" }, h("span", {}, "Path"), h("input", { type: "text", value: ui.savepoint, spellcheck: "false", placeholder: "s3://bucket/savepoints/savepoint-…", oninput: (event) => { ui.savepoint = event.target.value; } })),
            h("label", { class: "field is-check" }, h("input", { type: "checkbox", checked: ui.allowsLost, onchange: (event) => { ui.allowsLost = event.target.checked; live.redraw(); } }), h("span", {}, "Allow state that no operator wants", h("small", {}, "What is left over is dropped."))))),
        h("div", { class: "plans" },
          ui.plans.map((job, index) => panel(job.name ?? `Job ${index + 1}`, { key: `plan ${index}` }, (job.plan?.nodes ?? []).length > 0
            ? graph({ key: `plan-${index}`, nodes: job.plan.nodes.map((node) => ({ ...node, name: node.name ?? planText(node.description).replaceAll(/\n\s*\+- /g, " -> ") })) })
            : h("pre", { class: "plan" }, job.text ?? ""),
            job.text && job.plan ? h("details", { class: "more" }, h("summary", {}, "As text"), h("pre", { class: "plan" }, job.text)) : null)),
          ui.texts.map((text, index) => h("pre", { class: "plan", key: `text ${index}` }, text)),
          ui.plans.length === 0 ? panel("Plan", {}, empty(ui.canExplain ? "The plan appears here as you type." : "This server does not explain scripts.", ui.canExplain ? "A script ends in INSERT INTO …" : "Errors show when you submit.")) : null)),
      stored ? storedScripts(stored) : null,
    ];
  },
};

function verdict() {
  if (ui.error) {
    const { line, column, message } = ui.error;
    return [icon("warning"), line > 0 ? h("button", { type: "button", class: "plain", onclick: () => place(ui.sql, ui.error) }, `Line ${line}, column ${column}`) : null, h("span", {}, message)];
  }
  if (ui.sql.trim() === "") return h("span", { class: "quiet" }, "CREATE TABLE …, then INSERT INTO …; several statements end with a semicolon each. Ctrl-Enter submits.");
  if (ui.explained === ui.sql) return ui.plans.length > 0 ? [icon("check"), h("span", {}, ui.plans.length === 1 ? "One job" : `${ui.plans.length} jobs`)] : h("span", { class: "quiet" }, "No job yet: there is no INSERT INTO.");
  return h("span", { class: "quiet" }, ui.canExplain ? "Planning …" : "Ctrl-Enter submits.");
}

function type(text) {
  ui.sql = text;
  // What was wrong may be elsewhere now: its mark goes until the next answer.
  ui.error = null;
  try { sessionStorage.setItem("sql", text); } catch { /* It lives as long as the page then. */ }
  explainSoon();
  live.redraw();
}

function explainSoon() {
  clearTimeout(wait);
  asked?.abort();
  if (ui.canExplain) wait = setTimeout(explain, 250);
}

async function explain() {
  const sql = ui.sql;
  if (sql.trim() === "") {
    Object.assign(ui, { plans: [], texts: [], error: null, explained: sql });
    live.redraw();
    return;
  }
  asked = new AbortController();
  try {
    const answer = await postJSON("sql/explain", { sql }, asked.signal);
    // What is wrong with a half-written script is an answer, not a failed request. The last plan that was right stays.
    if (answer.error) Object.assign(ui, { error: located({ body: answer.error, message: answer.error.message ?? "" }), explained: sql });
    else Object.assign(ui, { plans: answer.jobs ?? [], texts: answer.texts ?? [], error: null, explained: sql });
  } catch (error) {
    if (error.name === "AbortError" || sql !== ui.sql) return;
    if ([403, 404, 405, 501].includes(error.status)) ui.canExplain = false;
    else if (error.status === 400) Object.assign(ui, { error: located(error), explained: sql });
    else if (error.status !== 0) toast(error.message, "bad");
  }
  live.redraw();
}

/// Where an error is: told in fields, or in words ("line 2, column 8: …", then the line and a caret).
function located(error) {
  const body = error.body ?? {};
  const match = /^line (\d+), column (\d+): ([^]*)$/.exec(error.message);
  const lines = (match?.[3] ?? error.message).split("\n");
  const caret = lines.find((text, index) => index > 0 && /^\s*\^+$/.test(text));
  const kept = caret ? lines.filter((text, index) => index < lines.indexOf(caret) - 1 || index > lines.indexOf(caret)) : lines;
  return {
    line: body.line ?? Number(match?.[1] ?? 0), column: body.column ?? Number(match?.[2] ?? 0), length: body.length ?? Math.max(1, caret?.trim().length ?? 1), message: kept.join(". ").trim(),
  };
}

async function send() {
  if (ui.isSending || ui.sql.trim() === "") return;
  ui.isSending = true;
  live.redraw();
  try {
    const answer = await post("jobs", { sql: ui.sql, ...(ui.savepoint ? { savepointPath: ui.savepoint, allowNonRestoredState: ui.allowsLost } : {}) });
    const jobs = answer.jobs ?? (answer.jobid ? [{ jobid: answer.jobid }] : []);
    toast(jobs.length === 1 ? "The job is submitted." : `${jobs.length} jobs are submitted.`, "good");
    if (jobs.length > 0) go(...(jobs.length === 1 ? ["jobs", jobs[0].jobid] : ["overview"]));
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) ui.error = located(error);
    else toast(error.message, "bad");
  }
  ui.isSending = false;
  live.redraw();
}

function storedScripts({ files = [] }) {
  const act = (work) => async () => {
    try { await work(); } catch (error) { toast(error.message, "bad"); }
    live.refresh();
  };
  const run = (file) => act(async () => {
    const answer = await post(`jars/${encodeURIComponent(file.id)}/run`, {});
    toast("The job is submitted.", "good");
    if (answer.jobid) go("jobs", answer.jobid);
  });
  const drop = (file) => act(async () => {
    if (!await askForm(`Delete ${file.name}?`, { text: "Jobs that run are not touched.", confirm: "Delete", isDangerous: true })) return;
    await remove(`jars/${encodeURIComponent(file.id)}`);
  });
  return panel("Stored scripts", {
    tools: h("label", { class: "button" }, icon("plus"), h("span", {}, "Store a script"), h("input", { type: "file", class: "hidden", onchange: (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) act(() => upload("jars/upload", file))();
    } })),
  }, table({
    id: "Stored scripts", rows: files, key: (file) => file.id, none: "No script is stored.",
    columns: [
      { title: "Name", value: (file) => file.name, isWide: true }, { title: "Stored", value: (file) => file.uploaded, cell: (file) => moment(file.uploaded), isNumber: true },
      { title: "", cell: (file) => h("span", { class: "row-tools" }, button("Run", { icon: "play", onclick: run(file) }), button("Delete", { icon: "cancel", onclick: drop(file) })) },
    ],
  }));
}
