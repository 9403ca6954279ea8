import { getIfThere } from "./api.js";
import { isNumber, number } from "./format.js";

/// The last hour of each job that was looked at.
///
/// Flink's job answer holds totals since the start (rows, bytes, busy milliseconds). Two of them make a rate. Where the server keeps a
/// history of its own (`jobs/:id/history`), that is taken instead: it covers the time before this page was opened.

const hour = 3_600_000;
/// A rate spans at least this long: TaskManagers report every second or so, and shorter spans would jump.
const rateSpan = 5_000;

const jobs = new Map();

class JobHistory {
  /// Oldest first: {at, totals: {vertex: {in, out, bytesIn, bytesOut, busy, backpressured, idle, parallelism}}}
  samples = [];
  /// Oldest first, one per sample: {at, vertices: {vertex: figures}}
  points = [];
  server = null;
  watermarks = {};
  duration = null;

  /// Takes an answer of `jobs/:id`.
  add(job) {
    const at = number(job.now) ?? Date.now();
    if (at <= (this.samples.at(-1)?.at ?? 0)) return;
    // A restarted job counts from zero again, a rescaled one over other subtasks.
    const totals = {};
    for (const vertex of job.vertices ?? []) {
      const metrics = vertex.metrics ?? {};
      totals[vertex.id] = {
        in: number(metrics["read-records"]) ?? 0, out: number(metrics["write-records"]) ?? 0,
        bytesIn: number(metrics["read-bytes"]) ?? 0, bytesOut: number(metrics["write-bytes"]) ?? 0,
        busy: number(metrics["accumulated-busy-time"]), backpressured: number(metrics["accumulated-backpressured-time"]) ?? 0,
        idle: number(metrics["accumulated-idle-time"]) ?? 0, parallelism: vertex.parallelism, since: vertex["start-time"],
      };
    }
    this.samples.push({ at, totals });
    while (this.samples[0].at < at - hour) this.samples.shift();
    this.points.push({ at, vertices: this.rates(job) });
    while (this.points[0].at < at - hour) this.points.shift();
  }

  rates(job) {
    const last = this.samples.at(-1);
    let first = null;
    for (let index = this.samples.length - 2; index >= 0; index -= 1) {
      first = this.samples[index];
      if (last.at - first.at >= rateSpan) break;
    }
    const figures = {};
    for (const vertex of job.vertices ?? []) {
      const now = last.totals[vertex.id];
      const running = job.state === "RUNNING" || job.state === "RESTARTING" || job.state === "FAILING";
      let before = first?.totals[vertex.id];
      let milliseconds = first ? last.at - first.at : 0;
      if (!before || now.in < before.in || now.out < before.out || now.parallelism !== before.parallelism) {
        // Nothing to compare with: the mean since the vertex started stands for the first look.
        before = { in: 0, out: 0, bytesIn: 0, bytesOut: 0, busy: 0, backpressured: 0, idle: 0 };
        milliseconds = now.since > 0 ? last.at - now.since : 0;
      }
      if (!running || vertex.status !== "RUNNING" || milliseconds <= 0) {
        figures[vertex.id] = { watermark: this.watermarks[vertex.id] ?? null };
        continue;
      }
      const rate = (name) => Math.max(0, (now[name] - before[name]) * 1000 / milliseconds);
      // All subtasks add up their times; their sum is parallelism × the span, but for reports that come a little early or late.
      const spent = (name) => (now[name] === null || before[name] === null ? 0 : Math.max(0, now[name] - before[name]));
      const all = Math.max(spent("busy") + spent("backpressured") + spent("idle"), 1);
      const told = spent("busy") + spent("backpressured") + spent("idle") > 0;
      figures[vertex.id] = {
        in: rate("in"), out: rate("out"), bytesIn: rate("bytesIn"), bytesOut: rate("bytesOut"),
        busy: told && now.busy !== null ? spent("busy") / all : null, backpressured: told ? spent("backpressured") / all : null,
        idle: told ? spent("idle") / all : null, watermark: this.watermarks[vertex.id] ?? null,
      };
    }
    return figures;
  }

  /// Of one vertex now: {in, out, bytesIn, bytesOut} per second, {busy, backpressured, idle} as shares of 1, `watermark` in ms and `lag` behind the clock, `pending` rows.
  /// A figure that is not known is null or missing.
  now(vertex) {
    const own = this.points.at(-1);
    const told = this.server?.points.at(-1);
    const merged = { ...own?.vertices[vertex] };
    merged.lag = lag(merged.watermark, own?.at);
    for (const [name, value] of Object.entries(told?.vertices[vertex] ?? {})) if (value !== null) merged[name] = value;
    if (isNumber(told?.vertices[vertex]?.watermark)) merged.lag = lag(told.vertices[vertex].watermark, told.at);
    return merged;
  }

  /// [{at, value}] of the last hour.
  series(pick) {
    const points = this.server?.points.length > 1 ? this.server.points : this.points;
    return points.map((point) => ({ at: point.at, value: pick(point.vertices) ?? null }));
  }

  /// When what is known begins; undefined when nothing is.
  get first() { return (this.server?.points.length > 1 ? this.server.points : this.points)[0]?.at; }

  get events() { return this.server?.events ?? []; }

  /// Completed ones of the last hour, oldest first.
  get checkpoints() { return this.server?.checkpoints ?? []; }

  /// Asks for what happened since the last answer. False where this server keeps no history.
  async load(id) {
    const since = this.server?.points.at(-1)?.at;
    const answer = await getIfThere(`jobs/${id}/history${since ? `?since=${since}` : ""}`);
    if (!answer) {
      this.server = null;
      return false;
    }
    this.server ??= { points: [], events: [], checkpoints: [] };
    const vertices = Object.entries(answer.vertices ?? {});
    (answer.timestamps ?? []).forEach((at, index) => {
      if (since && at <= since) return;
      const point = { at, vertices: {} };
      for (const [vertex, columns] of vertices) {
        point.vertices[vertex] = {};
        for (const name in names) if (columns[name]) point.vertices[vertex][names[name]] = number(columns[name][index]);
      }
      this.server.points.push(point);
    });
    const horizon = (number(answer.now) ?? Date.now()) - hour;
    while (this.server.points.length > 0 && this.server.points[0].at < horizon) this.server.points.shift();
    const last = this.server.checkpoints.at(-1)?.id ?? 0;
    for (const each of answer.checkpoints ?? []) if (each.id > last) this.server.checkpoints.push(each);
    while (this.server.checkpoints.length > 0 && this.server.checkpoints[0].trigger_timestamp < horizon) this.server.checkpoints.shift();
    const known = new Set(this.server.events.map((event) => `${event.at} ${event.kind} ${event.text}`));
    for (const event of answer.events ?? []) if (!known.has(`${event.at} ${event.kind} ${event.text}`)) this.server.events.push(event);
    return true;
  }

  /// Where there is no history, watermarks are asked for one vertex at a time.
  async loadWatermarks(id, vertices) {
    const answers = await Promise.all(vertices.map((vertex) => getIfThere(`jobs/${id}/vertices/${vertex}/watermarks`).catch(() => undefined)));
    vertices.forEach((vertex, index) => {
      const values = (answers[index] ?? []).map((entry) => number(entry.value)).filter((value) => isNumber(value) && value > 0);
      // A vertex is as far as its slowest subtask.
      this.watermarks[vertex] = values.length > 0 ? Math.min(...values) : null;
    });
  }
}

/// Columns of `jobs/:id/history` by what they are called here.
const names = {
  "records-in-per-second": "in", "records-out-per-second": "out", "bytes-in-per-second": "bytesIn", "bytes-out-per-second": "bytesOut",
  "busy": "busy", "backpressured": "backpressured", "idle": "idle", "watermark": "watermark", "pending-records": "pending",
  "state-bytes": "stateBytes", "queued-records": "queued",
};

export function historyOf(id) {
  if (!jobs.has(id)) {
    if (jobs.size >= 20) jobs.delete(jobs.keys().next().value);
    jobs.set(id, new JobHistory());
  }
  return jobs.get(id);
}

/// How far event time is behind the clock; null where there is no watermark yet or the stream is at its end.
export function lag(watermark, now) {
  if (!isNumber(watermark) || watermark <= 0 || watermark > 8.64e15) return null;
  return Math.max(0, now - watermark);
}
