"""A running count whose every result says when it was due and when it came: what scripts/bench-rescale and scripts/demo-spot watch.

The rows have a timetable: row n is there at a known moment, key n mod K, and its result is the count n div K + 1. So each printed result proves
itself, and its latency is its emission less the moment of its row, also for rows that had to wait or were read again.
"""
import calendar
import os
import re
import time

import cluster as local
from cluster import Failure, wait

LINE = re.compile(r"^(?:\d+> )?\+[IU]\[(\d+), (\d+), (\d+), (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z\]$")

SQL = """{settings}CREATE TABLE numbers (n BIGINT, k AS MOD(n, {keys})) WITH (
  'connector' = 'datagen', 'rows-per-second' = '{rate}', 'starts-at' = '{starts}',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '999999999999');
CREATE TABLE counted (k BIGINT, c BIGINT, n BIGINT, emitted TIMESTAMP_LTZ(3)) WITH ('connector' = 'print');
INSERT INTO counted
SELECT k, c, n, CURRENT_ROW_TIMESTAMP() FROM (SELECT k, COUNT(*) AS c, MAX(n) AS n FROM numbers GROUP BY k) WHERE n >= {shown};
"""


def now():
    """Milliseconds since 1970."""
    return time.time() * 1000


class Count:
    """The job on a cluster. `loaded` rows are there when it begins; results are printed from row `loaded` on."""

    def __init__(self, cluster, path, keys, rate, loaded=0, settings=()):
        self.cluster, self.keys, self.rate, self.loaded = cluster, keys, rate, loaded
        self.starts = int(now()) - loaded * 1000 // rate
        with open(path, "w") as file:
            file.write(SQL.format(
                settings="".join(f"SET '{key}' = '{value}';\n" for key, value in settings), keys=keys, rate=rate, starts=self.starts, shown=loaded))
        self.results = []           # (row, count, emitted in ms), in the order of each file.
        self.places, self.rest = {}, {}
        self.job = cluster.submit(path)

    def due(self, row):
        """When the row came, in milliseconds since 1970."""
        return self.starts + row * 1000 / self.rate

    def read(self):
        """Takes what was printed meanwhile; the new results."""
        fresh, folder = [], os.path.join(self.cluster.folder, "log")
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".out"):
                continue
            with open(os.path.join(folder, name), "rb") as file:
                file.seek(self.places.get(name, 0))
                data = file.read()
            self.places[name] = self.places.get(name, 0) + len(data)
            *lines, self.rest[name] = (self.rest.get(name, b"") + data).split(b"\n")
            for line in lines:
                if line[:1] == b"-" or b"> -" in line[:8]:
                    continue
                found = LINE.match(line.decode())
                if not found:
                    raise Failure(f"{name} has a line that is no result: {line[:200]!r}")
                _, count, row, stamp, part = found.groups()
                fresh.append((int(row), int(count), seconds(stamp) * 1000 + int((part or "0").ljust(3, "0")[:3])))
        self.results += fresh
        return fresh

    def running(self):
        """The job's state while every task runs, else None."""
        state = self.cluster.state(self.job)
        if state["state"] in ("FAILED", "CANCELED", "FINISHED"):
            raise Failure(f"the job is {state['state']}: {self.cluster.root_exception(self.job)}")
        return state if state["state"] == "RUNNING" and all(vertex["status"] == "RUNNING" for vertex in state["vertices"]) else None

    def keeps_up(self, seconds=60, within=100):
        """Waits until every task runs and results come within so many milliseconds for a second."""
        wait(self.running, seconds, "the job to run")

        def calm():
            # A result counts for a second only if the clock has gone past it.
            self.read()
            until = now() - within
            late = [result for result in self.results[-4 * self.rate:] if result[2] >= until - 1000]
            return len(late) > self.rate / 2 and all(emitted - self.due(row) <= within for row, _, emitted in late if emitted <= until)
        wait(calm, seconds, "results to come in time", every=0.2)

    def attempts(self):
        """{(vertex, subtask, TaskManager): attempt} of the tasks that run."""
        return {
            (vertex["name"], task["subtask"], task["taskmanager-id"]): task["attempt"] for vertex in self.cluster.state(self.job)["vertices"]
            for task in self.cluster.get(f"/jobs/{self.job}/vertices/{vertex['id']}")["subtasks"]}

    def state_bytes(self):
        """{TaskManager: bytes of state}"""
        sizes = {}
        for vertex in self.cluster.state(self.job)["vertices"]:
            for task in self.cluster.get(f"/jobs/{self.job}/vertices/{vertex['id']}")["subtasks"]:
                sizes[task["taskmanager-id"]] = sizes.get(task["taskmanager-id"], 0) + task["metrics"]["state-bytes"]
        return sizes

    def latencies(self, start, end):
        """Of the rows that were due in this span, sorted, in milliseconds; of one that came twice, the first time."""
        first, last = self.row_at(start), self.row_at(end)
        best = {}
        for row, _, emitted in self.results:
            if first <= row < last:
                best[row] = min(best.get(row, emitted), emitted)
        if not best:
            raise Failure(f"no result is there for the rows {first} to {last}")
        return sorted(max(0, emitted - self.due(row)) for row, emitted in best.items())

    def row_at(self, moment):
        return max(0, -int(-(moment - self.starts) * self.rate // 1000))

    def output_gap(self, event, longest=60_000):
        """(last result before the longest silence after the event, first one past it whose row came after the event), in ms after the event."""
        times = sorted({emitted for _, _, emitted in self.results if event - 200 <= emitted <= event + longest})
        silence = max(zip(times, times[1:]), key=lambda pair: pair[1] - pair[0])
        fresh = [emitted for row, _, emitted in self.results if emitted >= silence[1] and self.due(row) > event]
        if not fresh:
            raise Failure("nothing new came after the event")
        return silence[0] - event, min(fresh) - event

    def wrong(self, until, replays=0):
        """Words about what is not as it must be in the results of rows that were due before this moment; None: all is right.

        Every row has its result; each count is right; none comes twice, unless in one of `replays` restarts.
        """
        seen, doubled = {}, 0
        for row, count, _ in self.results:
            if count != row // self.keys + 1:
                return f"key {row % self.keys} was counted {count} times at row {row}, not {row // self.keys + 1}"
            doubled += row in seen
            seen[row] = True
        last = self.row_at(until)
        missing = [row for row in range(self.loaded, last) if row not in seen]
        if missing:
            return f"{len(missing)} of {last - self.loaded} results never came, the first of row {missing[0]}"
        if doubled and not replays:
            return f"{doubled} results came twice"
        return None


def seconds(stamp, known={}):
    if stamp not in known:
        known[stamp] = calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%S"))
    return known[stamp]


def share(sorted_values, part):
    """The value that this share of all do not pass."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * part))]
