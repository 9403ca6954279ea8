import { h } from "./dom.js";
import { clock } from "./format.js";

/// Lanes over one time axis. `lanes`: [{id, title, detail, spans: [{from, to, tone, text, id}], marks: [{at, tone, text}], onclick}].
/// Positions are shares of the width, so that nothing is measured.
export function lanes({ from, to, now, items, onpick, picked }) {
  const span = Math.max(1, to - from);
  const share = (at) => Math.min(100, Math.max(0, (at - from) / span * 100));
  const steps = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800].map((seconds) => seconds * 1000);
  const step = steps.find((candidate) => span / candidate <= 7) ?? steps.at(-1);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  const label = (at) => (step >= 86_400_000 ? new Date(at).toISOString().slice(5, 10) : step < 60_000 ? clock(at) : clock(at).slice(0, 5));
  return h("div", { class: "lanes" },
    h("div", { class: "lane is-axis", "aria-hidden": "true" }, h("div", { class: "lane-name" }), h("div", { class: "lane-track" }, ticks.filter((at) => share(at) > 2 && share(at) < 97).map((at) => h("span", { class: "lane-tick", style: { left: `${share(at)}%` } }, label(at))))),
    items.map((lane) => h("div", { class: "lane", key: lane.id },
      h("div", { class: "lane-name", title: lane.title }, lane.onclick ? h("button", { type: "button", class: "plain", onclick: lane.onclick }, lane.title) : h("span", {}, lane.title), lane.detail ? h("small", {}, lane.detail) : null),
      h("div", { class: "lane-track" },
        ticks.map((at) => h("i", { class: "lane-line", style: { left: `${share(at)}%` } })),
        now && now <= to ? h("i", { class: "lane-now", style: { left: `${share(now)}%` } }) : null,
        (lane.spans ?? []).filter((part) => part.to >= from && part.from <= to).map((part) => {
          const props = { class: `lane-span tone-${part.tone}${part.id !== undefined && part.id === picked ? " is-picked" : ""}`, title: part.text, style: { left: `${share(part.from)}%`, width: `max(3px, ${share(part.to) - share(part.from)}%)` } };
          return part.id !== undefined && onpick ? h("button", { type: "button", "aria-label": part.text, onclick: () => onpick(part.id), ...props }) : h("span", props, h("span", {}, part.label ?? ""));
        }),
        (lane.marks ?? []).filter((mark) => mark.at >= from && mark.at <= to).map((mark) => {
          const props = { class: `lane-mark tone-${mark.tone}${mark.id !== undefined && mark.id === picked ? " is-picked" : ""}`, title: `${clock(mark.at)} ${mark.text}`, style: { left: `${share(mark.at)}%` } };
          return mark.id !== undefined && onpick ? h("button", { type: "button", "aria-label": mark.text, onclick: () => onpick(mark.id), ...props }) : h("span", props);
        })))));
}
