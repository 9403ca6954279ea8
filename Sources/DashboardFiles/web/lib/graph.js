import { h } from "./dom.js";
import { bytes, count, duration, isNumber, operators, percent, perSecond } from "./format.js";
import { icon } from "./icons.js";
import { curve, layers } from "./layers.js";
import { live } from "./live.js";

/// A job's graph: SVG edges between cards. With figures it is the live graph, without them a plan.
///
/// `nodes`: [{id, parallelism, inputs: [{id, ship_strategy}], name}]; `figures(id)` as `JobHistory.now` gives them, plus `lag`;
/// `status(id)`: a vertex' state; `onselect(id)`; `selected`: id.
export function graph({ key, nodes, figures, status, selected, onselect, footer, parallelism = (node) => node.parallelism }) {
  const box = views.get(key) ?? { scale: 1, width: 1000 };
  views.set(key, box);
  const isDown = box.width < 640;
  // Three cards side by side would be too small to read: one below the other, edges pass at the side.
  const isSingle = isDown && figures !== undefined;
  const size = { width: isDown ? 280 : 246, height: figures ? 124 : 84 };
  const plan = layers(nodes, { ...size, gap: 26, layerGap: figures ? (isDown ? 54 : 150) : (isDown ? 54 : 110), isDown, isSingle });
  const margin = 14;
  const fit = Math.min(1, Math.max(isDown ? 0.5 : 0.55, box.width / (plan.width + 2 * margin)));
  const scale = fit * box.scale;
  const zoom = (by) => { box.scale = Math.min(3, Math.max(0.4, box.scale * by)); live.redraw(); };
  const fastest = figures ? Math.max(1, ...nodes.map((node) => Math.max(figures(node.id).in ?? 0, figures(node.id).out ?? 0))) : 1;
  const edges = plan.edges.map((edge) => drawEdge(edge, nodes, figures, key, { isDown, isSingle, beside: isSingle ? plan.edges.filter((other) => other.to === edge.to && isNearer(other, edge)).length : 0 }, fastest, status));
  return h("div", { class: `graph${isSingle ? " is-single" : ""}`, key, ref: (element) => watch(element, key) },
    h("div", { class: "graph-scroll", tabindex: "-1" },
      h("svg", {
        width: Math.max((plan.width + 2 * margin) * scale, 1), height: Math.max((plan.height + 2 * margin) * scale, 1),
        viewBox: `${-margin} ${-margin} ${plan.width + 2 * margin} ${plan.height + 2 * margin}`, role: "group", "aria-label": "Job graph",
      },
        h("defs", {}, h("marker", { id: `arrow-${key}`, viewBox: "0 0 8 8", refX: "7.5", refY: "4", markerWidth: "11", markerHeight: "11", orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" },
          h("path", { class: "arrow", d: "M0 0.500 8 4 0 7.500z" }))),
        edges.map((edge) => edge.line),
        nodes.map((node) => {
          const at = plan.nodes[node.id];
          return h("foreignObject", { key: node.id, x: at.x, y: at.y, ...size },
            card(node, { figures: figures?.(node.id), status: status?.(node.id), isSelected: selected === node.id, onselect, parallelism: parallelism(node),
              onkeydown: (event) => walk(event, node.id, plan) }));
        }),
        edges.map((edge) => edge.label))),
    h("div", { class: "graph-foot" }, footer,
      h("div", { class: "graph-tools" },
      h("button", { class: "tool", title: "Zoom in", "aria-label": "Zoom in", onclick: () => zoom(1.25) }, icon("plus")),
      h("button", { class: "tool", title: "Zoom out", "aria-label": "Zoom out", onclick: () => zoom(0.8) }, icon("minus")),
      h("button", { class: "tool", title: "Fit", "aria-label": "Fit the graph", onclick: () => { box.scale = 1; live.redraw(); } }, icon("fit")))));
}

const views = new Map();
const watched = new WeakSet();
const watcher = typeof ResizeObserver === "undefined" ? null : new ResizeObserver((entries) => {
  for (const entry of entries) {
    const box = views.get(entry.target.dataset.graph);
    const width = Math.round(entry.contentRect.width);
    if (box && width > 0 && Math.abs(box.width - width) > 2) {
      box.width = width;
      requestAnimationFrame(() => live.redraw());
    }
  }
});

function watch(element, key) {
  element.dataset.graph = key;
  if (!watched.has(element)) {
    watched.add(element);
    watcher?.observe(element);
  }
}

/// Arrow keys go to the nearest card in that direction.
function walk(event, id, plan) {
  const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!direction) return;
  const own = plan.nodes[id];
  let best = null;
  let least = Infinity;
  for (const [other, at] of Object.entries(plan.nodes)) {
    const ahead = (at.x - own.x) * direction[0] + (at.y - own.y) * direction[1];
    const aside = Math.abs((at.x - own.x) * direction[1]) + Math.abs((at.y - own.y) * direction[0]);
    if (other !== id && ahead > 4 && ahead + aside * 2 < least) {
      best = other;
      least = ahead + aside * 2;
    }
  }
  if (!best) return;
  event.preventDefault();
  event.currentTarget.closest("svg").querySelector(`[data-node="${CSS.escape(best)}"]`)?.focus();
}

function card(node, { figures, status, isSelected, onselect, onkeydown, parallelism }) {
  const parts = operators(node.name);
  const title = parts[0] ?? node.id;
  const last = parts.length > 1 ? parts[parts.length - 1] : null;
  const between = parts.length > 2 ? `${parts.length - 2} more` : null;
  return h("button", {
    class: `card-node ${mood(figures, status)}${isSelected ? " is-selected" : ""}`, type: "button", "data-node": node.id, title: parts.join(" → "),
    "aria-pressed": onselect ? String(isSelected) : null, onclick: onselect ? () => onselect(node.id) : null, onkeydown,
    "aria-label": `${parts.join(", ")}, parallelism ${parallelism}${figures && isNumber(figures.busy) ? `, ${percent(figures.busy)} busy, ${percent(figures.backpressured)} backpressured` : ""}`,
  },
    h("span", { class: "node-head" },
      h("span", { class: "node-title" }, title),
      h("span", { class: "node-parallelism", title: "Parallelism" }, `×${parallelism}`)),
    h("span", { class: "node-rest" }, last ? [h("span", {}, "→ "), between ? h("span", {}, `${between} → `) : null, h("span", {}, last)] : null),
    figures ? [
      h("span", { class: "node-figures" },
        status && status !== "RUNNING" ? h("span", { class: `state state-${status}` }, status.toLowerCase()) : [
          h("span", {}, h("small", {}, "in"), perSecond(figures.in)),
          h("span", {}, h("small", {}, "out"), perSecond(figures.out)),
          isNumber(figures.pending) && figures.pending > 0 ? h("span", { class: "is-lag" }, h("small", {}, "left"), count(figures.pending)) : null,
        ]),
      status && status !== "RUNNING" ? null : load(figures),
    ] : null);
}

/// The one word that colours a card.
function mood(figures, status) {
  if (status === "FAILED") return "mood-failed";
  if (status && status !== "RUNNING") return status === "FINISHED" ? "mood-finished" : "mood-waiting";
  if (!figures) return "mood-plan";
  if (figures.backpressured >= 0.5) return "mood-backpressured";
  if (figures.busy >= 0.5) return "mood-busy";
  return "mood-idle";
}

/// Busy, backpressured and idle as one bar, with words.
export function load(figures) {
  const known = isNumber(figures.idle) || isNumber(figures.busy);
  const busy = figures.busy ?? 0;
  const backpressured = figures.backpressured ?? 0;
  return h("span", { class: "load" },
    h("span", { class: "load-bar" }, known ? [
      h("i", { class: "is-busy", style: { width: `${busy * 100}%` } }), h("i", { class: "is-backpressured", style: { width: `${backpressured * 100}%` } }),
    ] : null),
    h("span", { class: "load-words" }, known ? [
      h("span", { class: "is-busy" }, `busy ${percent(busy)}`), h("span", { class: "is-backpressured" }, `backpr. ${percent(backpressured)}`),
      h("span", { class: "is-idle" }, `idle ${percent(figures.idle)}`),
    ] : h("span", { class: "quiet" }, "no load figures")));
}

function drawEdge(edge, nodes, figures, key, { isDown, isSingle, beside }, fastest, status) {
  const target = nodes.find((node) => node.id === edge.to);
  const strategy = target.inputs[edge.index].ship_strategy;
  const seen = (id) => (figures && (!status || status(id) === "RUNNING") ? figures(id) : {});
  const source = seen(edge.from);
  const into = seen(edge.to);
  // With one input the receiver's figure is this edge's; with several only the sender's tells them apart.
  const rate = target.inputs.length === 1 && isNumber(into.in) ? into.in : source.out;
  const volume = target.inputs.length === 1 && isNumber(into.bytesIn) ? into.bytesIn : source.bytesOut;
  const isHeld = source.backpressured >= 0.5;
  const width = isNumber(rate) && rate > 0 ? 1.5 + 3.5 * Math.log1p(rate) / Math.log1p(fastest) : 1.5;
  const middle = isSingle ? arrival(edge.points, beside) : edge.points.length === 2 ? midpoint(edge.points[0], edge.points[1]) : edge.points[Math.floor(edge.points.length / 2)];
  const line = curve(edge.points, isDown);
  const flows = isNumber(rate) && rate > 0 && status?.(edge.from) === "RUNNING";
  const words = isSingle ? [isNumber(rate) ? perSecond(rate) : null].filter(Boolean) : figures ? [isNumber(rate) ? perSecond(rate) : null, isNumber(into.lag) ? `${duration(into.lag)} behind` : strategy?.toLowerCase()].filter(Boolean) : [strategy?.toLowerCase()].filter(Boolean);
  const wide = Math.max(...words.map((text) => text.length), 0) * 6.3 + 14;
  const high = words.length * 14 + 6;
  const told = [strategy, isNumber(rate) ? perSecond(rate) : null, isNumber(volume) ? `${bytes(volume)}/s` : null, isNumber(into.lag) ? `event time ${duration(into.lag)} behind the clock` : null].filter(Boolean).join(" · ");
  const name = `${edge.from} ${edge.to} ${edge.index}`;
  return {
    line: h("g", { class: `edge${isHeld ? " is-held" : ""}`, key: `line ${name}` }, h("title", {}, told),
      h("path", { class: "edge-line", d: line, "stroke-width": width.toFixed(1), "marker-end": `url(#arrow-${key})` }),
      flows ? h("path", { class: "edge-flow", d: line, "stroke-width": Math.max(1.5, width - 1).toFixed(1) }) : null),
    label: words.length === 0 ? null : h("g", { key: `label ${name}` }, h("title", {}, told),
      h("rect", { class: "edge-back", x: middle.x - wide / 2, y: middle.y - high / 2, width: wide, height: high, rx: 7 }),
      words.map((text, index) => h("text", { class: `edge-words${index > 0 || !figures ? " is-second" : ""}`, x: middle.x, y: middle.y - high / 2 + 14 * (index + 1) + 0.5, "text-anchor": "middle" }, text))),
  };
}

/// Just above the card that an edge comes to, on its side; `beside` others are nearer.
function arrival(points, beside) {
  const end = points.at(-1);
  return { x: end.x + side(points) * (64 + 60 * beside), y: end.y - 27 };
}

function side(points) { return points.length > 2 ? Math.sign(points.at(-2).x - points.at(-1).x) : 0; }

function isNearer(other, edge) {
  const away = (points) => Math.abs(points.at(-2).x - points.at(-1).x);
  return other !== edge && side(other.points) === side(edge.points) && side(edge.points) !== 0 && (away(other.points) < away(edge.points) || (away(other.points) === away(edge.points) && other.index < edge.index));
}

function midpoint(left, right) { return { x: (left.x + right.x) / 2, y: (left.y + right.y) / 2 }; }
