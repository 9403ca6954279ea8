import { h } from "./dom.js";

/// A text field for SQL: coloured words under transparent text, errors under their place.

const keywords = new Set(("ADD ALL ALTER AND ANY AS ASC BETWEEN BIGINT BOOLEAN BY CASE CAST CATALOG COMMENT CREATE CROSS CURRENT DATABASE DATE DECIMAL DESC DESCRIPTOR DISTINCT DOUBLE DROP ELSE END EXCEPT EXECUTE EXISTS EXPLAIN FALSE FLOAT "
  + "FOR FROM FULL FUNCTION GROUP HAVING HOP IF IN INNER INSERT INT INTERSECT INTERVAL INTO IS JOIN KEY LEFT LIKE LIMIT MAP NOT NULL OF OFFSET ON OR ORDER OUTER OVER OVERWRITE PARTITION PARTITIONED PRECEDING PRIMARY RANGE RIGHT ROW ROWS "
  + "SECOND MINUTE HOUR DAY SELECT SESSION SET SETS SHOW STATEMENT STRING SYSTEM TABLE TEMPORARY THEN TIME TIMESTAMP TIMESTAMP_LTZ TO TRUE TUMBLE CUMULATE UNBOUNDED UNION USING VALUES VARCHAR VIEW WATERMARK WHEN WHERE WITH BEGIN").split(" "));

const token = /(--[^\n]*|\/\*[^]*?(?:\*\/|$))|('(?:[^']|'')*(?:'|$))|(`[^`]*(?:`|$))|(\b\d+(?:\.\d+)?\b)|(\b[A-Za-z_]\w*\b)/g;

function coloured(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(token)) {
    const kind = match[1] ? "comment" : match[2] ? "string" : match[3] ? "name" : match[4] ? "number" : keywords.has(match[5].toUpperCase()) ? "keyword" : null;
    if (!kind) continue;
    if (match.index > at) parts.push(text.slice(at, match.index));
    parts.push(h("span", { class: `sql-${kind}` }, match[0]));
    at = match.index + match[0].length;
  }
  parts.push(`${text.slice(at)}\n`);
  return parts;
}

/// `error`: {line, column, length, message}, counted from 1, or null.
export function editor({ text, error, oninput, onsubmit }) {
  const lines = text.split("\n");
  const isPlaced = error && error.line >= 1 && error.line <= lines.length;
  const before = isPlaced ? wide([...lines[error.line - 1]].slice(0, error.column - 1).join("")) : 0;
  const length = isPlaced ? Math.max(1, wide([...lines[error.line - 1]].slice(error.column - 1, error.column - 1 + error.length).join(""))) : 0;
  const key = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onsubmit();
    }
  };
  const follow = (event) => {
    const inside = event.currentTarget.parentElement.querySelector(".editor-under");
    inside.scrollTop = event.currentTarget.scrollTop;
    inside.scrollLeft = event.currentTarget.scrollLeft;
  };
  return h("div", { class: "editor" },
    h("div", { class: "editor-under", "aria-hidden": "true" },
      h("div", { class: "editor-numbers" }, lines.map((_, index) => h("span", { class: isPlaced && error.line === index + 1 ? "is-wrong" : null }, index + 1))),
      h("pre", {}, coloured(text),
        isPlaced ? h("span", { class: "caret", style: { top: `${error.line - 1}lh`, left: `${before}ch`, width: `${length}ch` } }) : null,
        isPlaced ? h("span", { class: "caret-words", style: { top: `${error.line}lh`, left: `min(${before}ch, max(0px, 100% - 24ch))` } }, error.message.split("\n")[0]) : null)),
    h("textarea", {
      id: "sql", value: text, spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", "aria-label": "SQL script", "aria-invalid": String(Boolean(error)), placeholder: "INSERT INTO …",
      oninput: (event) => oninput(event.target.value), onscroll: follow, onkeydown: key,
    }));
}

/// The width in columns: a tab goes on to the next multiple of two.
function wide(text) {
  let columns = 0;
  for (const letter of text) columns = letter === "\t" ? (Math.floor(columns / 2) + 1) * 2 : columns + 1;
  return columns;
}

/// Puts the cursor where the error is.
export function place(text, { line, column, length }) {
  const field = document.getElementById("sql");
  const start = text.split("\n").slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  field.focus();
  field.setSelectionRange(start, start + length);
}
