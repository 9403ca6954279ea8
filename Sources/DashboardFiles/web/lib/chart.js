import { h } from "./dom.js";
import { bytes, bytesPerSecond, clock, duration, isNumber } from "./format.js";
import { live } from "./live.js";

/// A chart of lines over time: SVG, with a cross-hair that follows pointer or arrow keys.
///
/// `series`: [{name, points: [{at, value}], tone}], times in ms, ascending; null is a gap. `format` writes a value. `from`..`to`: the
/// span shown. `marks`: [{at, tone, text}] are drawn as thin lines. `stacked` fills areas upon each other (shares of a whole).
const height = 132;
const margin = { right: 10, top: 10, bottom: 20 };

/// Charts know their width once they are drawn; until then this is assumed.
const widths = new Map();
const watcher = typeof ResizeObserver === "undefined" ? null : new ResizeObserver((entries) => {
  let changed = false;
  for (const entry of entries) {
    const width = Math.round(entry.contentRect.width);
    if (width > 0 && widths.get(entry.target.dataset.chart) !== width) {
      widths.set(entry.target.dataset.chart, width);
      changed = true;
    }
  }
  if (changed) requestAnimationFrame(() => live.redraw());
});
const watched = new WeakSet();

/// The moment under the cross-hair: all charts of a page share it.
let pointed = null;

export function chart({ id, title, series, format, from, to, marks = [], maximum, stacked = false, note }) {
  const width = widths.get(id) ?? 420;
  const span = Math.max(1, to - from);
  const shown = series.map((line) => ({ ...line, points: line.points.filter((point) => point.at >= from && point.at <= to) }));
  const drawn = (stacked ? stack(shown) : shown).map((line) => ({ ...line, points: thin(line.points, width, stacked) }));
  const highest = maximum ?? niceMaximum(Math.max(0, ...drawn.flatMap((line) => line.points.map((point) => point.value ?? 0))), format);
  // As wide as the longest word beside the axis.
  const inner = { ...margin, left: Math.max(56, 12 + 6.1 * Math.max(...[0, 0.5, 1].map((part) => format(highest * part).length))) };
  const x = (at) => inner.left + (at - from) / span * (width - inner.left - inner.right);
  const y = (value) => height - inner.bottom - Math.min(1, value / highest) * (height - inner.top - inner.bottom);
  const isEmpty = shown.every((line) => line.points.every((point) => point.value === null));
  const at = pointed !== null && pointed >= from && pointed <= to ? pointed : null;
  const move = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    pointed = from + (event.clientX - box.left - inner.left) / (width - inner.left - inner.right) * span;
    live.redraw();
  };
  const leave = () => { pointed = null; live.redraw(); };
  const step = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") leave();
    if (!by) return;
    event.preventDefault();
    pointed = Math.min(to, Math.max(from, (at ?? to) + by * span / 60));
    live.redraw();
  };
  return h("figure", { class: "chart", key: id },
    h("figcaption", {},
      h("span", { class: "chart-title" }, title),
      series.length > 1 ? h("span", { class: "legend" }, shown.map((line) => h("span", { class: `tone-${line.tone}` }, h("i"), line.name,
        h("b", {}, format(valueAt(line.points, at)))))) : h("b", { class: "chart-now" }, format(valueAt(shown[0]?.points ?? [], at)))),
    h("div", {
      class: "chart-space", "data-chart": id, tabindex: isEmpty ? null : "0", role: "img", onpointermove: isEmpty ? null : move, onpointerleave: leave, onkeydown: step, onblur: leave,
      "aria-label": `${title}: ${shown.map((line) => `${line.name} ${format(valueAt(line.points, at))}`).join(", ")}`,
      ref: (element) => { if (watcher && !watched.has(element)) { watched.add(element); watcher.observe(element); } },
    },
      h("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
        (isEmpty ? [0] : [0, 0.5, 1]).map((part) => h("g", { class: "grid" },
          h("line", { x1: inner.left, x2: width - inner.right, y1: y(highest * part), y2: y(highest * part) }),
          h("text", { x: inner.left - 6, y: y(highest * part) + 3.5, "text-anchor": "end" }, isEmpty ? "" : format(highest * part)))),
        ticks(from, to, width).map((tick) => h("text", { class: "tick", x: x(tick), y: height - 4, "text-anchor": "middle" }, clock(tick).slice(0, span < 240_000 ? 8 : 5))),
        marks.filter((mark) => mark.at >= from && mark.at <= to).map((mark) => h("line", { class: `mark tone-${mark.tone}`, x1: x(mark.at), x2: x(mark.at), y1: inner.top, y2: height - inner.bottom }, h("title", {}, `${clock(mark.at)} ${mark.text}`))),
        // What stands upon nothing must not hide what it stands on.
        backToFront(stacked, drawn.map((line, index) => h("g", { class: `line tone-${line.tone}` },
          h("path", { class: "area", d: area(line.points, stacked && index > 0 ? drawn[index - 1].points : null, x, y) }),
          h("path", { class: "stroke", d: path(line.points, x, y) }),
          lonely(line.points).map((point) => h("circle", { cx: x(point.at), cy: y(point.value), r: 2.5 }))))),
        at === null ? null : h("g", { class: "cross" },
          h("line", { x1: x(at), x2: x(at), y1: inner.top, y2: height - inner.bottom }),
          h("text", { x: Math.min(width - 34, Math.max(inner.left + 24, x(at))), y: height - 4, "text-anchor": "middle" }, clock(at)))),
      isEmpty ? h("p", { class: "chart-empty" }, note ?? "No figures yet") : null));
}

/// The end of the axis: it and its half are round (powers of 1024 for bytes, minutes and hours for durations).
function niceMaximum(value, format) {
  if (!(value > 0)) return 1;
  if (format === duration && value > 800) return [1, 2, 4, 6, 10, 20, 40, 60, 120, 240, 480, 1200, 2400, 3600, 7200, 14400, 28800, 86400, 172800].map((seconds) => seconds * 1000).find((end) => end >= value) ?? value;
  if ((format === bytes || format === bytesPerSecond) && value > 1024) {
    const unit = 1024 ** Math.floor(Math.log(value) / Math.log(1024));
    return unit * ([1, 2, 4, 6, 8, 10, 16, 20, 30, 40, 60, 80, 100, 160, 200, 300, 400, 600, 800, 1024].find((end) => end >= value / unit) ?? 1024);
  }
  const scale = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * scale).find((step) => step >= value * 1.02) ?? 10 * scale;
}

function ticks(from, to, width) {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400].map((seconds) => seconds * 1000);
  const step = steps.find((candidate) => (to - from) / candidate <= Math.max(2, width / 90)) ?? steps.at(-1);
  const all = [];
  for (let tick = Math.ceil((from + (to - from) * 0.04) / step) * step; tick <= to - (to - from) * 0.04; tick += step) all.push(tick);
  return all;
}

const backToFront = (stacked, lines) => (stacked ? lines.reverse() : lines);

/// At most a point a pixel: the largest of each group, so that peaks stay; the last where lines keep to one moment.
function thin(points, width, isStacked) {
  const group = Math.ceil(points.length / Math.max(60, width));
  if (group <= 1) return points;
  const thinned = [];
  for (let start = 0; start < points.length; start += group) {
    const part = points.slice(start, start + group);
    thinned.push(isStacked ? part.at(-1) : part.reduce((best, point) => ((point.value ?? -1) > (best.value ?? -1) ? point : best)));
  }
  return thinned;
}

function stack(lines) {
  const sums = new Map();
  return lines.map((line) => ({
    ...line,
    points: line.points.map((point) => {
      if (point.value === null) return point;
      const sum = (sums.get(point.at) ?? 0) + point.value;
      sums.set(point.at, sum);
      return { at: point.at, value: sum };
    }),
  }));
}

function path(points, x, y) {
  let text = "";
  let open = false;
  for (const point of points) {
    if (!isNumber(point.value)) { open = false; continue; }
    text += `${open ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`;
    open = true;
  }
  return text;
}

/// Points without a neighbour: no line shows them.
function lonely(points) {
  return points.filter((point, index) => isNumber(point.value) && !isNumber(points[index - 1]?.value) && !isNumber(points[index + 1]?.value));
}

function area(points, below, x, y) {
  const known = points.filter((point) => isNumber(point.value));
  if (known.length < 2) return "";
  const floor = below?.filter((point) => isNumber(point.value));
  const back = floor?.length > 1 ? [...floor].reverse().map((point) => `L${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join("")
    : `L${x(known.at(-1).at).toFixed(1)} ${y(0)}L${x(known[0].at).toFixed(1)} ${y(0)}`;
  return `${path(known, x, y)}${back}Z`;
}

/// The value at a moment, or the newest.
function valueAt(points, at) {
  if (at === null) return points.findLast((point) => point.value !== null)?.value ?? null;
  let best = null;
  for (const point of points) if (best === null || Math.abs(point.at - at) < Math.abs(best.at - at)) best = point;
  return best?.value ?? null;
}
