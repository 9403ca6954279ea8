/// Figures as people read them. NaN, null and what is unknown are a dash.

export const dash = "–";

export function isNumber(value) { return typeof value === "number" && Number.isFinite(value); }

/// "NaN" stands in JSON where Flink has no figure.
export function number(value) {
  const figure = typeof value === "string" ? Number(value) : value;
  return isNumber(figure) ? figure : null;
}

function scaled(value, step, units, digits = 3) {
  let unit = 0;
  let rest = Math.abs(value);
  while (rest >= step && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  const places = unit === 0 && Number.isInteger(rest) ? 0 : rest >= 100 ? 0 : rest >= 10 ? digits - 2 : digits - 1;
  let text = rest.toFixed(Math.max(0, places));
  if (text.includes(".")) text = text.replace(/\.?0+$/, "");
  return (value < 0 ? "−" : "") + text + units[unit];
}

/// 12.3k
export const count = (value) => isNumber(number(value)) ? scaled(number(value), 1000, ["", "k", "M", "G", "T"]) : dash;
export const whole = (value) => isNumber(number(value)) ? Math.round(number(value)).toLocaleString("en-US") : dash;
/// 12.3 MiB
export const bytes = (value) => isNumber(number(value)) && number(value) >= 0 ? scaled(number(value), 1024, [" B", " KiB", " MiB", " GiB", " TiB"]) : dash;
export const bytesPerSecond = (value) => isNumber(number(value)) ? `${bytes(value)}/s` : dash;
export const perSecond = (value) => isNumber(value) ? `${count(value)}/s` : dash;
export const percent = (share) => isNumber(share) ? `${Math.round(share * 100)} %` : dash;
export const money = (value, currency, digits = value < 100 ? 2 : 0) =>
  isNumber(value) ? new Intl.NumberFormat("en-US", { style: "currency", currency: /^[A-Z]{3}$/.test(currency) ? currency : "USD", maximumFractionDigits: digits, minimumFractionDigits: Math.min(2, digits) }).format(value) : dash;

/// 850 ms, 4.2 s, 3 min 12 s, 5 h 3 min, 12 d 4 h
export function duration(milliseconds) {
  const value = number(milliseconds);
  if (value === null || value < 0) return dash;
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 9950) return `${Math.round(value / 100) / 10} s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 60) return `${seconds} s`;
  const two = (big, bigUnit, small, smallUnit) => (small > 0 ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return two(hours, "h", minutes % 60, "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

const pad = (value, width = 2) => String(value).padStart(width, "0");

/// 14:03:09, in the reader's time zone.
export function clock(at, withMilliseconds = false) {
  if (!isNumber(at) || at <= 0) return dash;
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}${withMilliseconds ? `.${pad(date.getMilliseconds(), 3)}` : ""}`;
}

/// 22 Nov 14:03:09; the year only when it is another one.
export function moment(at) {
  if (!isNumber(at) || at <= 0) return dash;
  const date = new Date(at);
  const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.getMonth()];
  const year = date.getFullYear() === new Date().getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${month}${year} ${clock(at)}`;
}

export function ago(at, now = Date.now()) {
  if (!isNumber(at) || at <= 0) return dash;
  return now - at < 1000 ? "now" : `${duration(now - at)} ago`;
}

/// "Source: src[1] -> Calc[2] -> Sink: out[3]" as its operators, without numbers.
export function operators(name) {
  return String(name ?? "").split(" -> ").map((part) => part.replace(/\[\d+\]/g, "").trim()).filter(Boolean);
}

/// Flink writes line breaks of a plan's description as <br/>.
export function planText(description) {
  return String(description ?? "").replaceAll("<br/>", "\n").replaceAll("&gt;", ">").replaceAll("&lt;", "<").trim();
}

export const short = (id) => (typeof id === "string" && id.length > 12 ? id.slice(0, 8) : id);

/// RUNNING as Running.
export const words = (constant) => {
  const text = String(constant ?? "").toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
