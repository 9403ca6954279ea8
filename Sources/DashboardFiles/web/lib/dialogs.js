import { h } from "./dom.js";
import { live } from "./live.js";
import { button } from "./ui.js";

/// One dialog at a time, on the browser's own <dialog>: it keeps the focus inside, and Escape closes it.

let open = null;

/// Answers what `finish` was given; null when the user went away. `body(finish)` describes the inside.
export function ask(title, body, { kind = "" } = {}) {
  open?.finish(null);
  return new Promise((resolve) => {
    const back = document.activeElement;
    const finish = (answer) => {
      if (!open || open.finish !== finish) return;
      open = null;
      live.redraw();
      back?.focus?.();
      resolve(answer);
    };
    open = { title, body, kind, finish };
    live.redraw();
  });
}

/// `fields`: [{name, title, value, kind: "text"|"number"|"check"|"password", hint, …}]. Answers {name: value}, or null.
export function askForm(title, { text, fields = [], confirm, isDangerous = false, check }) {
  const values = Object.fromEntries(fields.map((field) => [field.name, field.value ?? ""]));
  let wrong = null;
  const set = (name, value) => { values[name] = value; wrong = null; };
  return ask(title, (finish) => h("form", { method: "dialog", onsubmit: (event) => {
    event.preventDefault();
    wrong = check?.(values) ?? null;
    if (wrong) live.redraw();
    else finish(values);
  } },
    text ? h("p", {}, text) : null,
    fields.map((field, index) => field.kind === "check"
      ? h("label", { class: "field is-check" }, h("input", { type: "checkbox", checked: values[field.name] === true, onchange: (event) => { set(field.name, event.target.checked); live.redraw(); } }), h("span", {}, field.title, field.hint ? h("small", {}, field.hint) : null))
      : h("label", { class: "field" }, h("span", {}, field.title, field.hint ? h("small", {}, field.hint) : null),
        h("input", { type: field.kind ?? "text", value: values[field.name], min: field.min, max: field.max, placeholder: field.placeholder, autofocus: index === 0 ? true : null, spellcheck: "false", autocomplete: "off", oninput: (event) => set(field.name, event.target.value) }))),
    wrong ? h("p", { class: "wrong", role: "alert" }, wrong) : null,
    h("footer", {}, button("Back", { onclick: () => finish(null) }), h("button", { type: "submit", class: `button ${isDangerous ? "is-danger" : "is-main"}`, autofocus: fields.length === 0 && !isDangerous ? true : null }, confirm))));
}

export function isDialogOpen() { return open !== null; }

export function dialogArea() {
  if (!open) return null;
  const current = open;
  return h("dialog", {
    key: "dialog", class: `dialog ${current.kind}`, "aria-label": current.title,
    ref: (element) => { if (!element.open) queueMicrotask(() => { if (element.isConnected && !element.open) { element.showModal(); element.querySelector("[autofocus]")?.focus(); } }); },
    oncancel: (event) => { event.preventDefault(); current.finish(null); },
    onclick: (event) => { if (event.target === event.currentTarget) current.finish(null); },
  }, h("div", { class: "dialog-inside" }, h("h2", {}, current.title), current.body(current.finish)));
}
