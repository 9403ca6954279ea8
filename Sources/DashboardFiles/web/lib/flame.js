import { h } from "./dom.js";
import { whole } from "./format.js";
import { live } from "./live.js";
import { filter } from "./ui.js";

/// A flame graph of Flink's shape, {name, value, children}. A click looks closer, at `root` everything is seen again.
/// `view` is kept by the page: {path: [names], text}.
export function flame(root, view) {
  const chain = [root];
  for (const name of view.path) {
    const child = chain.at(-1).children?.find((candidate) => candidate.name === name);
    if (!child) break;
    chain.push(child);
  }
  const top = chain.at(-1);
  const rows = [];
  const wanted = view.text.toLowerCase();
  let found = 0;
  // What is narrower than a five-hundredth cannot be hit; its weight is in its parent.
  const lay = (node, left, width, depth, path, isInside) => {
    const isMatch = wanted !== "" && node.name.toLowerCase().includes(wanted);
    if (isMatch && !isInside) found += node.value;
    (rows[depth] ??= []).push({ node, left, width, path, isMatch });
    let cursor = left;
    for (const child of [...(node.children ?? [])].sort((a, b) => a.name < b.name ? -1 : 1)) {
      const share = width * child.value / node.value;
      if (share > 0.002) lay(child, cursor, share, depth + 1, [...path, child.name], isInside || isMatch);
      cursor += share;
    }
  };
  chain.forEach((node, depth) => { if (node !== top) rows[depth] = [{ node, left: 0, width: 1, path: view.path.slice(0, depth), isAbove: true }]; });
  if (top.value > 0) lay(top, 0, 1, chain.length - 1, view.path.slice(0, chain.length - 1), false);
  const height = 19;
  const look = (path) => { view.path = path; live.redraw(); };
  return h("div", { class: "flame" },
    h("div", { class: "flame-head" }, filter("Find a function", view.text, (text) => { view.text = text; live.redraw(); }),
      h("span", { class: "quiet" }, `${whole(root.value)} samples`, wanted ? ` · ${(found / Math.max(1, top.value) * 100).toFixed(1)} % match` : ""),
      view.path.length > 0 ? h("button", { type: "button", class: "button", onclick: () => look([]) }, "Show all") : null),
    h("div", { class: "flame-space", style: { height: `${rows.length * height}px` } },
      rows.flatMap((row, depth) => row.map((cell) => h("button", {
        type: "button", key: `${depth} ${cell.path.join(";")}`, class: `flame-cell hue-${hue(cell.node.name)}${cell.isAbove ? " is-above" : ""}${cell.isMatch ? " is-match" : ""}${wanted && !cell.isMatch ? " is-dim" : ""}`,
        style: { left: `${cell.left * 100}%`, width: `${cell.width * 100}%`, top: `${depth * height}px` },
        title: `${cell.node.name}\n${whole(cell.node.value)} samples, ${(cell.node.value / Math.max(1, root.value) * 100).toFixed(1)} %`,
        "aria-label": `${cell.node.name}, ${(cell.node.value / Math.max(1, root.value) * 100).toFixed(1)} percent`, tabindex: cell.width > 0.02 ? "0" : "-1", onclick: () => look(cell.path),
      }, cell.width > 0.03 ? cell.node.name : "")))));
}

/// The same function has the same colour each time.
function hue(name) {
  let sum = 0;
  for (let index = 0; index < name.length; index += 1) sum = (sum * 31 + name.charCodeAt(index)) % 9973;
  return sum % 8;
}
