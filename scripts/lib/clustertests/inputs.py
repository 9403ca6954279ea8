"""Wrong SQL, malformed rows, and Ctrl-C."""
import os
import signal

from cluster import swiftwater, wait

from . import ticks
from .harness import check, client, say, story


@story
def wrong_sql_is_shown_with_a_caret_and_nothing_is_submitted(place):
    cluster = place.cluster(taskmanagers=1)
    script = place.write("wrong.sql", "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen');\n"
                         "CREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');\nINSERT INTO nothing SELECT m FROM numbers;\n")
    for command in (("submit", script, "--jobmanager", cluster.url), ("run", script)):
        code, out, error = client(*command)
        check(code == 2, f"swiftwater {command[0]} ended with {code} instead of 2: {error}")
        lines = error.splitlines()
        carets = [number for number, line in enumerate(lines) if line.strip(" |").startswith("^")]
        check(carets, f"no caret: {error}")
        check(lines[carets[0]].index("^") == lines[carets[0] - 1].index(" m FROM") + 1, f"the caret is not under the name: {error}")
    code, _, error = client("submit", place.write("unknown.sql", "CREATE TABLE t (n BIGINT) WITH ('connector' = 'datagem');\nINSERT INTO t SELECT n FROM t;\n"),
                            "--jobmanager", cluster.url)
    check(code == 2 and "datagen" in error, f"an unknown connector: exit {code}, {error}")
    check(cluster.get("/jobs")["jobs"] == [], "a job was submitted")


@story
def a_malformed_row_fails_the_job_with_file_and_line_or_is_counted(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=10_000, tickers=5, rows_a_file=5_000), place.path("out")
    path = os.path.join(data.folder, "ticks-0001.jsonl")
    with open(path) as file:
        lines = file.readlines()
    lines.insert(1233, '{"EVENT_TIME":"2026-11-22 10:00:05.000","TICKER":"T00000","PRICE":\n')
    with open(path, "w") as file:
        file.writelines(lines)
    cluster = place.cluster(taskmanagers=1)
    code, out, error = client("submit", ticks.script(place.path("strict.sql"), data.folder, output, settings=[("execution.checkpointing.interval", "100 ms")]), "--jobmanager", cluster.url)
    check(code == 1, f"exit {code} instead of 1: {out}{error}")
    check("ticks-0001.jsonl" in error and "1234" in error, f"file and line 1234 are not named: {error}")
    say(error.strip().splitlines()[-1].replace(place.folder, "…"))
    check(ticks.committed(output) == [] and ticks.hidden(output) == [], "a failed job without checkpoints has left files")
    cluster.client("submit", ticks.script(place.path("lax.sql"), data.folder, output, options=[("json.ignore-parse-errors", "true")]))
    job = next(job["jid"] for job in cluster.get("/jobs/overview")["jobs"] if job["state"] == "FINISHED")
    skipped = sum(vertex["metrics"]["skipped-records"] for vertex in cluster.state(job)["vertices"])
    check(skipped == 1, f"{skipped} rows were counted as skipped instead of 1")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"without the malformed row: {words}")


@story
def control_c_leaves_a_submitted_job_running_and_ends_a_run(place):
    data = ticks.Ticks(place.path("ticks"), rows=20_000, tickers=5, rows_a_file=5_000)
    cluster = place.cluster(taskmanagers=1)
    attached = place.start(swiftwater, "submit", ticks.script(place.path("job.sql"), data.folder, place.path("out"), rate=500), "--jobmanager", cluster.url)
    job = wait(lambda: (jobs := cluster.get("/jobs/overview")["jobs"]) and jobs[0]["state"] == "RUNNING" and jobs[0]["jid"], 20, "the job to run")
    check(job in attached.stdout.readline(), "submit does not say the job's id")
    attached.send_signal(signal.SIGINT)
    out, error = attached.communicate(timeout=10)
    check(attached.returncode == 130, f"exit {attached.returncode} instead of 130: {error}")
    check(f"swiftwater cancel {job}" in error, f"submit does not say how to cancel the job: {error}")
    check(cluster.state(job)["state"] == "RUNNING", "the job does not run any more")
    cluster.client("cancel", job)

    output = place.path("run")
    running = place.start(swiftwater, "run", ticks.script(place.path("run.sql"), data.folder, output, rate=2_000))
    wait(lambda: os.path.isdir(output) and os.listdir(output), 20, "the run to write")
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=10)
    check(running.returncode == 130, f"swiftwater run: exit {running.returncode} instead of 130: {error}")
    check(ticks.committed(output) == [], "an interrupted run without checkpoints has committed rows")
