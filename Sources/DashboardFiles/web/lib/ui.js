import { h } from "./dom.js";
import { dash, words } from "./format.js";
import { icon } from "./icons.js";
import { live } from "./live.js";

/// The few parts that all pages are made of.

export function state(status) { return h("span", { class: `state state-${status}` }, h("i"), words(status)); }

export function panel(title, props, ...children) {
  return h("section", { class: `panel ${props?.class ?? ""}`, key: props?.key, "aria-label": typeof title === "string" ? title : null },
    title ? h("header", { class: "panel-head" }, h("h2", {}, title), props?.tools ? h("div", { class: "tools" }, props.tools) : null) : null,
    h("div", { class: "panel-body" }, children));
}

/// One figure with its name; `detail` is quiet. `tone` colours the figure.
export function stat(name, value, detail, tone) {
  return h("div", { class: "stat" }, h("dt", {}, name), h("dd", { class: tone ? `tone-${tone}` : null }, value ?? dash), detail ? h("dd", { class: "quiet" }, detail) : null);
}

export function stats(...items) { return h("dl", { class: "stats" }, items); }

/// On a narrow screen the row scrolls: the chosen tab comes into sight, once.
const show = (tab) => queueMicrotask(() => {
  const row = tab.parentNode;
  if (!row || row.shown === tab) return;
  row.shown = tab;
  row.scrollLeft = tab.offsetLeft - row.offsetLeft - 40;
});

export function tabs(label, items, selected) {
  const move = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    const all = [...event.currentTarget.querySelectorAll("a")];
    const next = all[(all.indexOf(document.activeElement) + by + all.length) % all.length];
    event.preventDefault();
    next.focus();
    next.click();
  };
  return h("nav", { class: "tabs", "aria-label": label, onkeydown: move },
    items.filter(Boolean).map((item) => h("a", { key: item.id, href: item.href, "aria-current": item.id === selected ? "page" : null, ref: item.id === selected ? show : null }, item.title,
      item.count ? h("span", { class: "count" }, item.count) : null)));
}

export function empty(text, detail) { return h("div", { class: "empty" }, h("p", {}, text), detail ? h("p", { class: "quiet" }, detail) : null); }

export function trouble(error) {
  return h("div", { class: "trouble", role: "alert" }, icon("warning"), h("div", {}, h("p", {}, error.message ?? String(error)),
    error.status ? h("p", { class: "quiet" }, `Status ${error.status}`) : null));
}

export function button(title, { icon: name, onclick, kind = "", disabled, ...rest } = {}) {
  return h("button", { type: "button", class: `button ${kind}`, onclick, disabled: Boolean(disabled), ...rest }, name ? icon(name) : null, h("span", {}, title));
}

/// A share of 1 as a bar; `value` is written beside it.
export function meter(share, value, tone = "accent") {
  return h("span", { class: "meter" }, h("span", { class: "meter-bar" }, h("i", { class: `tone-${tone}`, style: { width: `${Math.min(100, Math.max(0, (share || 0) * 100))}%` } })), h("span", {}, value));
}

/// How tables are sorted, by table.
const orders = new Map();

/// `columns`: [{title, value(row) what sorts, cell(row) what is shown, isNumber, isWide}]; `rows` with `key(row)`.
/// A click on a head sorts; again, the other way round. `order`: [column, descending?] to start with.
export function table({ id, columns, rows, key, href, order, none = "Nothing here", expand }) {
  const shown = columns.filter(Boolean);
  const current = orders.get(id) ?? order;
  const sorted = current && shown[current[0]]?.value ? [...rows].sort((left, right) => {
    const [a, b] = [shown[current[0]].value(left), shown[current[0]].value(right)];
    const less = a === b ? 0 : a === null || a === undefined ? -1 : b === null || b === undefined ? 1 : a < b ? -1 : 1;
    return current[1] ? -less : less;
  }) : rows;
  if (rows.length === 0) return empty(none);
  const sort = (index) => {
    orders.set(id, [index, current?.[0] === index ? !current[1] : Boolean(shown[index].isNumber)]);
    live.redraw();
  };
  return h("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": id }, h("table", { id },
    h("thead", {}, h("tr", {}, shown.map((column, index) => h("th", {
      class: column.isNumber ? "is-number" : null, scope: "col", "aria-sort": current?.[0] === index ? (current[1] ? "descending" : "ascending") : null,
    }, column.value && column.title ? h("button", { type: "button", onclick: () => sort(index) }, column.title) : column.title)))),
    h("tbody", {}, sorted.map((row) => {
      const target = href?.(row);
      return [h("tr", { key: key(row), class: target ? "is-link" : null, onclick: target ? (event) => { if (!event.target.closest("a,button,input") && String(getSelection()) === "") location.hash = target.slice(1); } : null },
        shown.map((column, index) => {
          const content = column.cell ? column.cell(row) : column.value(row);
          return h("td", { class: `${column.isNumber ? "is-number" : ""}${column.isWide ? " is-wide" : ""}${column.isCode ? " is-code" : ""}` }, index === 0 && target ? h("a", { href: target }, content) : content);
        })),
      expand?.(row) ? h("tr", { key: `${key(row)} more`, class: "is-more" }, h("td", { colspan: shown.length }, expand(row))) : null];
    }))));
}

/// A field that narrows a list; its text is kept by the page.
export function filter(label, value, oninput) {
  return h("label", { class: "filter" }, icon("search"), h("input", { type: "search", value, placeholder: label, "aria-label": label, oninput: (event) => oninput(event.target.value), "data-filter": "" }));
}

export function choice(label, options, selected, onpick) {
  return h("div", { class: "choice", role: "group", "aria-label": label }, options.map((option) => h("button", {
    type: "button", "aria-pressed": String(option.id === selected), onclick: () => onpick(option.id),
  }, option.title)));
}

export function pairs(entries) {
  return h("dl", { class: "pairs" }, entries.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value === "" || value === null || value === undefined ? dash : value))));
}

/// Short words that stay some seconds at the screen's edge.
export function toast(text, tone = "plain") {
  const item = { text, tone, until: Date.now() + (tone === "bad" ? 9000 : 5000) };
  toasts.push(item);
  live.redraw();
  setTimeout(() => {
    toasts.splice(toasts.indexOf(item), 1);
    live.redraw();
  }, item.until - Date.now());
}

const toasts = [];

export function toastArea() {
  return h("div", { class: "toasts", role: "status", "aria-live": "polite" }, toasts.map((item) => h("p", { class: `toast is-${item.tone}` }, item.text)));
}
