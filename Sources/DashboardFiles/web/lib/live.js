/// What all pages share: the server's configuration, what is shown, and how to show it anew.

export const live = {
  /// The answer of /config, once it is there.
  config: null,
  /// {page, parameters, query}
  route: null,
  paused: false,
  connected: true,
  /// Drawn again from the figures at hand.
  redraw() {},
  /// Figures fetched again, then drawn.
  refresh() {},
};

export function maySubmit() { return live.config?.features?.["web-submit"] !== false; }
export function mayCancel() { return live.config?.features?.["web-cancel"] !== false; }
export function mayRescale() { return live.config?.features?.["web-rescale"] !== false; }
export function isReadOnly() { return live.config !== null && !maySubmit() && !mayCancel(); }

/// `#/jobs/1/graph?x=y` for link targets; parts are escaped.
export function link(...parts) {
  return `#/${parts.filter((part) => part !== undefined && part !== null && part !== "").map(encodeURIComponent).join("/")}`;
}

export function go(...parts) { location.hash = link(...parts); }
