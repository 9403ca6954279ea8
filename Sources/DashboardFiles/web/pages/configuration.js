import { h } from "../lib/dom.js";
import { getOrNothing } from "../lib/api.js";
import { live } from "../lib/live.js";
import { empty, filter, pairs, panel, table } from "../lib/ui.js";

/// What the job runs with. Secrets are masked by the server.

let find = "";

export const configurationTab = {
  async load(job, _, before) {
    if (before) return before;
    const [config, cluster, checkpoints] = await Promise.all([getOrNothing(`jobs/${job.jid}/config`), getOrNothing(`jobs/${job.jid}/jobmanager/config`), getOrNothing(`jobs/${job.jid}/checkpoints/config`)]);
    return { config, cluster, checkpoints };
  },

  view({ job, figures: { config, cluster } }) {
    const execution = config?.["execution-config"];
    return [
      panel("Job", {}, pairs([
        ["Id", h("code", {}, job.jid)], ["Name", job.name], ["Type", job["job-type"]], ["Scheduler", job.schedulerType], ["Key groups", job.maxParallelism > 0 ? String(job.maxParallelism) : null],
        execution ? ["Restarts", execution["restart-strategy"]] : null, execution ? ["Parallelism", String(execution["job-parallelism"])] : null,
      ])),
      execution && Object.keys(execution["user-config"] ?? {}).length > 0 ? panel("Set for this job", {}, keyTable("Set for this job", Object.entries(execution["user-config"]).map(([key, value]) => ({ key, value })))) : null,
      Array.isArray(cluster) ? panel("Configuration", { tools: filter("Find a key", find, (text) => { find = text; live.redraw(); }) }, keyTable("Configuration", cluster, find)) : null,
      !config && !cluster ? empty("This server does not tell the job's configuration.") : null,
    ];
  },
};

export function keyTable(id, entries, text = "") {
  const wanted = text.toLowerCase();
  return table({
    id, rows: entries.filter((entry) => `${entry.key} ${entry.value}`.toLowerCase().includes(wanted)), key: (entry) => entry.key, none: "No key matches.", order: [0, false],
    columns: [{ title: "Key", value: (entry) => entry.key, isCode: true, isWide: true }, { title: "Value", value: (entry) => String(entry.value), isCode: true, isWide: true }],
  });
}
