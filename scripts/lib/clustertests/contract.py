"""Every request that was recorded against a real Flink is sent to a cluster of ours: status, members and types must be its, or the table says why not."""
import json
import urllib.error
import urllib.request

from cluster import wait

from .harness import check, say, story
from .rest import differences, recording

# (method, path): our status and why it is another one. docs/rest.md has the same list for people.
DIFFERENT = {
    ("GET", "/jobs/{running}/resource-requirements"): (200, "jobs always adapt"),
    ("PUT", "/jobs/{running}/resource-requirements"): (400, "the recording's vertices are not this job's; Flink's default scheduler has no such path"),
    ("GET", "/applications/00000000000000000000000000000000"): (404, "an unknown id is the user's mistake"),
    ("GET", "/taskmanagers/nosuch"): (404, "an unknown id is the user's mistake"),
    ("POST", "/jobs/00000000000000000000000000000000/savepoints"): (404, "told at once, not when the savepoint is asked about"),
    ("POST", "/jobs/00000000000000000000000000000000/stop"): (404, "told at once"),
    ("POST", "/jars/nosuch.jar/run"): (404, "an unknown id is the user's mistake"),
    ("DELETE", "/jars/nosuch.jar"): (404, "an unknown id"),
    ("PATCH", "/jobs/{cancelled}?mode=cancel"): (404, "nothing is left to cancel"),
    ("POST", "/savepoint-disposal"): (404, "savepoints are the user's files"),
    ("POST", "/jobmanager/profiler"): (404, "no profiler files; flame graphs and thread dumps are taken directly"),
    ("POST", "/taskmanagers/{taskmanager}/profiler"): (404, "no profiler files"),
    ("GET", "/jobs/{running}/rescales/overview"): (200, "jobs always adapt"),
    ("GET", "/jobs/{running}/rescales/config"): (200, "jobs always adapt"),
    ("GET", "/jobs/{running}/rescales/history"): (200, "jobs always adapt"),
    ("GET", "/jobs/{running}/rescales/summary"): (200, "jobs always adapt"),
}

RUNNING = """SET 'pipeline.name' = 'running';
SET 'parallelism.default' = '2';
SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE prices (k INT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'datagen', 'rows-per-second' = '2000', 'fields.k.min' = '0', 'fields.k.max' = '99');
CREATE TABLE highest (k INT, price DOUBLE) WITH ('connector' = 'blackhole');
INSERT INTO highest SELECT k, MAX(price) FROM TABLE(TUMBLE(TABLE prices, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end;
"""
FINISHED = """CREATE TABLE n (k BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '{rows}');
CREATE TABLE g (k BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO g SELECT {what} FROM n;
"""


def ask(cluster, method, path, body=None):
    """(status, what it says or None)"""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(cluster.url + path, data=data, method=method, headers={"Content-Type": "application/json"} if data else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            code, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        code, text = error.code, error.read()
    try:
        return code, json.loads(text)
    except ValueError:
        return code, None


@story
def every_recorded_request_has_flinks_status_and_shape(place):
    cluster = place.cluster(taskmanagers=1, slots=6, settings=(f"execution.checkpointing.savepoint-dir={place.path('savepoints')}",))
    jobs = {
        "finished": cluster.submit(place.write("finished.sql", FINISHED.format(rows=5000, what="k"))),
        "failed": cluster.submit(place.write("failed.sql", FINISHED.format(rows=5000, what="1 / (k - k)"))),
        "cancelled": cluster.submit(place.write("cancelled.sql", FINISHED.format(rows=2_000_000_000, what="k"))),
        "running": cluster.submit(place.write("running.sql", RUNNING)),
    }
    check(cluster.ended(jobs["finished"], 30)["state"] == "FINISHED", "the job that should finish has not")
    cluster.ended(jobs["failed"], 30)
    wait(lambda: cluster.completed(jobs["running"]) > 2, 30, "checkpoints")
    wait(lambda: cluster.state(jobs["cancelled"])["state"] == "RUNNING", 20, "the job to cancel")
    check(ask(cluster, "PATCH", f"/jobs/{jobs['cancelled']}?mode=cancel")[0] == 202, "cancel")
    cluster.ended(jobs["cancelled"], 20)
    vertices = cluster.state(jobs["running"])["vertices"]
    names = {**jobs, "vertex0": vertices[0]["id"], "vertex1": vertices[1]["id"], "taskmanager": "taskmanager-1",
             "checkpoint": cluster.get(f"/jobs/{jobs['running']}/checkpoints")["latest"]["completed"]["id"]}
    problems, same = [], 0
    for request in recording("requests"):
        method, path = request["method"], request["path"]
        live = path
        for name, value in names.items():
            live = live.replace("{" + name + "}", str(value))
        # Flink counts attempts from 0, we from 1.
        live = live.replace("/attempts/0", "/attempts/1")
        body = request.get("body")
        if isinstance(body, dict) and "target-directory" in body:
            body = {**body, "target-directory": place.path("savepoints")}
        code, answer = ask(cluster, method, live, body)
        wanted, why = DIFFERENT.get((method, path), (request["status"], None))
        if wanted is not None and code != wanted:
            problems.append(f"{method} {path}: {code} instead of {wanted}: {json.dumps(answer)[:160]}")
        elif code >= 400:
            if not (isinstance(answer, dict) and isinstance(answer.get("errors"), list) and answer["errors"] and "\n\tat" not in answer["errors"][0]):
                problems.append(f"{method} {path}: {code} without words: {answer}")
        elif "recording" in request and why is None:
            # How many jobs of an application are in which state: only states that occur are named.
            problems += [each for each in differences(recording(request["recording"]), answer, f"{method} {path}") if not each.endswith("/jobs/RUNNING is missing")]
        same += why is None
    check(not problems, f"{len(problems)} differences:\n   " + "\n   ".join(problems))
    say(f"{same} requests are answered as Flink does, {len(DIFFERENT)} as the table says")

    job = jobs["running"]
    loads = wait(lambda: (answer := cluster.get(f"/jobs/{job}/vertices/{vertices[1]['id']}/backpressure"))["status"] == "ok" and answer["subtasks"][0]["idleRatio"] + answer["subtasks"][0]["busyRatio"] > 0 and answer, 30, "loads")["subtasks"]
    check(all(abs(each["ratio"] + each["idleRatio"] + each["busyRatio"] - 1) <= 0.05 for each in loads), f"busy, idle and backpressured are not all of the time: {loads}")
    done = cluster.state(jobs["finished"])
    check(done["vertices"][-1]["metrics"]["read-records"] in (0, 5000) and max(v["metrics"]["write-records"] + v["metrics"]["read-records"] for v in done["vertices"]) >= 5000,
          f"5000 rows went through, the figures say {[v['metrics'] for v in done['vertices']]}")
    stamps = done["timestamps"]
    check(0 < stamps["INITIALIZING"] <= stamps["CREATED"] <= stamps["RUNNING"] <= stamps["FINISHED"] == done["end-time"], f"timestamps: {stamps}")
