"""REST and scrapes: Flink's paths, shapes and names, compared with recordings of a real one; the token."""
import json
import os
import re
import socket
import urllib.error
import urllib.request

from cluster import Failure, top, wait

from . import ticks
from .harness import check, say, story

RECORDINGS = os.path.join(top, "Tests", "Fixtures", "flink-rest")

# Members of the recordings that have no meaning here, each with its reason.
ABSENT = {
    "jobType", "pending-operators",  # Told, but not by every version.
    "taskExecutorStateSize", "queryableStateProxyPort", "blocked",  # Inner figures of Flink's TaskManager.
    "totalResource", "freeResource", "hardware", "memoryConfiguration",  # Other parts: one limit bounds state and buffers.
    "stream-graph", "pending-operators", "aggregated", "status-duration",  # Flink's own planner and percentiles over subtasks.
    "state_changelog_storage", "checkpoint_storage", "periodic_materialization_interval", "changelog_periodic_materialization_interval",
    "alignment_buffered", "unaligned_checkpoint", "checkpoint_type", "aligned_checkpoint_timeout", "state_backend_changelog_enabled", "changelog_storage",
    "@class", "savepointFormat", "failureLabels", "unaligned_checkpoints", "other-concurrent-attempts",
}


def recording(name):
    with open(os.path.join(RECORDINGS, name + ".json")) as file:
        return json.load(file)


def differences(theirs, ours, path):
    """Where `ours` lacks a member of `theirs`, or has another type."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            return [f"{path}: {type(ours).__name__} instead of an object"]
        found = [f"{path}/{name} is missing" for name in theirs if name not in ours and name not in ABSENT and not re.fullmatch(r"[0-9a-f]{32}", name)]
        for name in theirs:
            if name in ours and name not in ABSENT:
                found += differences(theirs[name], ours[name], f"{path}/{name}")
        return found
    if isinstance(theirs, list):
        if not isinstance(ours, list):
            return [f"{path}: {type(ours).__name__} instead of an array"]
        return differences(theirs[0], ours[0], f"{path}/0") if theirs and ours else []
    numbers = (int, float)
    if theirs is None or ours is None or theirs == "NaN":
        return []
    if isinstance(theirs, bool) != isinstance(ours, bool) or not isinstance(ours, numbers if isinstance(theirs, numbers) else type(theirs)):
        return [f"{path}: {ours!r} instead of something like {theirs!r}"]
    return []


@story
def rest_answers_in_the_shapes_of_a_recorded_flink(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000), place.path("out")
    cluster = place.cluster(taskmanagers=1, slots=2, settings=("metrics.reporters=prom", "metrics.reporter.prom.port=0"))
    job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=5_000, settings=[("execution.checkpointing.interval", "200 ms")]))
    wait(lambda: cluster.completed(job) > 2, 30, "checkpoints")
    details = cluster.state(job)
    vertex = details["vertices"][0]["id"]
    checkpoint = cluster.get(f"/jobs/{job}/checkpoints")["latest"]["completed"]["id"]
    here = f"/jobs/{job}"
    there = f"{here}/vertices/{vertex}"
    problems = []
    for path, name in [
        ("/overview", "overview"), ("/config", "config"), ("/jobs", "jobs"), ("/jobs/overview", "jobs_overview"), ("/datasets", "datasets"),
        ("/taskmanagers", "taskmanagers"), ("/jobmanager/config", "jobmanager_config"), ("/jobmanager/environment", "jobmanager_environment"), (here, "job_running"),
        (f"{here}/status", "job_status"), (f"{here}/plan", "job_plan"), (f"{here}/config", "job_config"), (f"{here}/exceptions", "job_exceptions"),
        (f"{here}/accumulators", "job_accumulators"), (f"{here}/checkpoints", "job_checkpoints"), (f"{here}/checkpoints/config", "job_checkpoints_config"),
        (f"{here}/checkpoints/details/{checkpoint}", "job_checkpoint_details"), (f"{here}/execution-result", "job_execution_result"),
        (f"{here}/checkpoints/details/{checkpoint}/subtasks/{vertex}", "vertex0_checkpoint_subtasks"),
        (there, "vertex0_detail"), (f"{there}/subtasks/0", "vertex0_subtask0"), (f"{there}/subtasktimes", "vertex0_subtasktimes"),
        (f"{there}/taskmanagers", "vertex0_taskmanagers"), (f"{there}/backpressure", "vertex0_backpressure"), (f"{there}/accumulators", "vertex0_accumulators"),
        (f"{there}/subtasks/accumulators", "vertex0_subtasks_accumulators"),
    ]:
        answer = cluster.get(path)
        if name == "job_checkpoints":  # The newest may be under way, and has less to tell.
            answer["history"] = [entry for entry in answer["history"] if entry["status"] == "COMPLETED"]
        problems += differences(recording(name), answer, path)
        if path.startswith("/jobs"):
            check(cluster.get("/v1" + path) is not None, f"/v1{path} is not there")
    check(not problems, "shapes that differ from Flink's:\n   " + "\n   ".join(problems))
    say("26 answers have every member of Flink's that means something here")

    check(details["isStoppable"] == recording("job_running")["isStoppable"], f"isStoppable is {details['isStoppable']}")

    taken = cluster.get(f"{here}/checkpoints/details/{checkpoint}")
    check(taken["external_path"].startswith("file:/"), f"external_path is {taken['external_path']}")
    check(taken["state_size"] == sum(each["state_size"] for each in taken["tasks"].values()), f"the sizes of the vertices are not the whole: {taken}")
    check(f"Completed checkpoint {checkpoint} for job {job} ({taken['state_size']} bytes," in cluster.log_text("jobmanager"), "the log tells another size")
    for each in cluster.get(f"{here}/checkpoints/details/{checkpoint}/subtasks/{vertex}")["subtasks"]:
        parts = each["start_delay"] + each["alignment"]["duration"] + each["checkpoint"]["async"]
        check(each["start_delay"] >= 0 and abs(parts - each["end_to_end_duration"]) <= 1, f"what a subtask's checkpoint took does not add up: {each}")
    given = cluster.get(f"{here}/config")["execution-config"]["user-config"]
    check("execution.checkpointing.interval" in given and not any(key.startswith(("rest.", "jobmanager.", "env.")) for key in given), f"the job's own settings are {sorted(given)}")

    wanted = {entry["id"] for entry in recording("job_metrics")}
    ours = {entry["id"] for entry in cluster.get(f"{here}/metrics")}
    without = {"numRescales", "lastCheckpointMetadataSize", "lastCheckpointProcessedData", "lastCheckpointPersistedData", "allSubTasksRunningOrFinishedTime"}
    check(wanted - ours <= without, f"metrics of a job that are missing: {sorted(wanted - ours - without)}")
    completed = cluster.get(f"{here}/metrics?get=numberOfCompletedCheckpoints,numRestarts")
    check({entry["id"]: entry["value"] for entry in completed}["numRestarts"] == "0", f"numRestarts is {completed}")

    text = scrape(cluster, "jobmanager")
    check(re.search(r'^flink_jobmanager_numRunningJobs\{host="[^"]*"\} 1$', text, re.M), "no running job in the JobManager's scrape")
    check(f'job_id="{job}"' in text and "flink_jobmanager_job_numberOfCompletedCheckpoints{" in text, "the job is not in the JobManager's scrape")
    text = wait(lambda: "numRecordsIn{" in (text := scrape(cluster, "taskmanager-1")) and text, 10, "figures of tasks")
    rows = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("flink_taskmanager_job_task_numRecordsIn{"))
    check(rows > 0, "the tasks have read nothing, says the TaskManager's scrape")


@story
def a_path_without_a_checkpoint_submits_nothing(place):
    cluster = place.cluster(taskmanagers=1, slots=1, settings=())
    script = place.write("job.sql", """CREATE TABLE n (k BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
        CREATE TABLE g (k BIGINT) WITH ('connector' = 'blackhole');
        INSERT INTO g SELECT k FROM n;""")
    try:
        cluster.client("submit", script, "--detached", "-s", place.path("nosuch/chk-7"))
        check(False, "a path without a checkpoint is taken")
    except Failure as failure:
        check("ended with 2" in str(failure) and "there is no _metadata in it" in str(failure), str(failure))
    check(cluster.get("/jobs")["jobs"] == [], "what was refused is listed")
    check(cluster.ended(cluster.submit(script), 20)["state"] == "FINISHED", "the job without the path does not run")


def scrape(cluster, name):
    port = re.search(r"PrometheusReporter HTTP server on port (\d+)", cluster.log_text(name))
    check(port, f"{name} does not say its port for scrapes")
    with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/metrics", timeout=10) as answer:
        return answer.read().decode()


@story
def rest_with_a_token_answers_nobody_else(place):
    cluster = place.cluster(taskmanagers=0, slots=1, settings=())
    with urllib.request.urlopen(cluster.url + "/", timeout=10) as answer:
        check(b"<!doctype html>" in answer.read(200).lower(), "the dashboard is not at /")
    etag = urllib.request.urlopen(cluster.url + "/", timeout=10).headers["ETag"]
    try:
        urllib.request.urlopen(urllib.request.Request(cluster.url + "/", headers={"If-None-Match": etag}), timeout=10)
        check(False, "an unchanged page is sent again")
    except urllib.error.HTTPError as error:
        check(error.code == 304, f"{error.code} instead of 304")
    guarded = place.cluster(taskmanagers=0, slots=1, settings=("rest.authentication.token=open-sesame",), token="open-sesame")
    for header, wanted in ((None, 401), ("Bearer wrong", 401), ("Bearer open-sesam", 401), ("Bearer open-sesame", 200)):
        request = urllib.request.Request(guarded.url + "/overview", headers={"Authorization": header} if header else {})
        try:
            code = urllib.request.urlopen(request, timeout=10).status
        except urllib.error.HTTPError as error:
            code = error.code
        check(code == wanted, f"{code} instead of {wanted} for {header}")
    check("open-sesame" not in guarded.log_text("jobmanager"), "the token is in the log")


@story
def connections_go_on_and_end_as_http_says(place):
    cluster = place.cluster(taskmanagers=0, slots=1)
    host, port = cluster.url.removeprefix("http://").split(":")

    def connect(data):
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(data)
        return connection

    def until(connection, end):
        answer = b""
        while not answer.endswith(end) and (part := connection.recv(65536)):
            answer += part
        return answer

    def rest(connection):
        with connection:
            return until(connection, b"never")

    body = b'{"sql": "' + b" " * 2_000_000 + b'"}'
    with connect(b"POST /sql/explain HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)) as held:
        check(until(held, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n", "a client that waits to be asked for its body is not")
        held.sendall(body)
        check(b" 200 " in (answer := until(held, b"}")), f"the body that was asked for: {answer[:300]}")
    for begin, words in ((b"GET /overview HTTP/1.1\r\n\r\n", b"no Host"), (b"GET /overview HTTP/1.1\r\nHost: a", b"ended within")):
        connection = connect(begin)
        if not begin.endswith(b"\r\n\r\n"):
            connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
        check(answer.startswith(b"HTTP/1.1 400 ") and words in answer and b'{"errors":["' in answer, f"{begin}: {answer}")
    log = rest(connect(b"GET /jobmanager/log HTTP/1.0\r\n\r\n"))
    head, _, text = log.partition(b"\r\n\r\n")
    check(head.startswith(b"HTTP/1.0 200 ") and b"chunked" not in head.lower() and b"Connection: close" in head, f"to a client that knows no chunks: {head}")
    check(re.match(rb"\d{4}-\d\d-\d\d ", text) and text.endswith(b"\n"), f"the log as it is: {text[:60]} … {text[-60:]}")
    answer = rest(connect(b"GET /overview HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\nGET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    check(answer.count(b"HTTP/1.1 ") == 1 and b"Connection: close" in answer, f"after a last request: {answer}")
    for _ in range(5):
        # Who is still sending gets to read what was wrong.
        connection = connect(b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n" + b"x" * 300_000)
        check(b" 400 " in (answer := rest(connection)) and answer.endswith(b"}"), f"to a body that is no HTTP: {answer[:300]}")
        # Who has nothing more to ask gets all answers, in his own time.
        connection = connect(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 60)
        connection.shutdown(socket.SHUT_WR)
        one = rest(connect(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).partition(b"\r\n\r\n")[2]
        check((answer := rest(connection)).count(one) == 60 and answer.endswith(one), f"{answer.count(one)} of 60 answers are whole")
