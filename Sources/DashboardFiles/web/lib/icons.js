import { h } from "./dom.js";

/// 24 × 24, drawn with lines of the text's colour.
const paths = {
  overview: "M3 13h7V3H3zM14 21h7V11h-7zM3 21h7v-4H3zM14 7h7V3h-7z",
  spot: "M13 2 4 14h7l-1 8 9-12h-7z",
  machines: "M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01M12 7h4M12 17h4",
  manager: "M12 8.500a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM12 2v3M12 19v3M2 12h3M19 12h3M4.9 4.9 7 7M17 17l2.1 2.100M4.9 19.1 7 17M17 7l2.1-2.1",
  submit: "M4 17l6-5-6-5M12 19h8",
  stop: "M6 6h12v12H6z",
  cancel: "M18 6 6 18M6 6l12 12",
  savepoint: "M6 3h12v18l-6-4-6 4z",
  rescale: "M8 3H3v5M16 3h5v5M8 21H3v-5M16 21h5v-5M3 3l7 7M21 3l-7 7M3 21l7-7M21 21l-7-7",
  pause: "M8 5v14M16 5v14",
  play: "M7 4v16l13-8z",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 1v2M12 21v2M1 12h2M21 12h2M4.2 4.200l1.4 1.400M18.4 18.400l1.4 1.400M4.2 19.800l1.4-1.400M18.4 5.600l1.4-1.4",
  moon: "M20 14.500A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.500z",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM21 21l-5-5",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  down: "M6 9l6 6 6-6",
  right: "M9 6l6 6-6 6",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  download: "M12 4v11M7 11l5 5 5-5M4 20h16",
  warning: "M12 3 2 20h20zM12 10v4M12 17h.01",
  check: "M5 13l4 4L19 7",
  lock: "M6 11h12v9H6zM8 11V7a4 4 0 0 1 8 0v4",
  key: "M15 4a5 5 0 1 0-4 8L4 19v2h3l1-1v-2h2v-2h2l1-3a5 5 0 0 0 2-9zM16 8h.01",
};

export function icon(name, props) {
  return h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true", ...props }, h("path", { d: paths[name] }));
}
