"""Wrong SQL, options and rows, an output that takes nothing, no JobManager, and Ctrl-C."""
import os
import signal
import socket
import subprocess
import time

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
    log = cluster.log_text("taskmanager-1")
    for word in ("Registered at the JobManager", "Deployed job", "to RUNNING", "to FAILED"):
        check(word in log, f"the TaskManager's log does not say '{word}'")
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


@story
def a_wrong_option_or_setting_is_found_before_anything_starts(place):
    cluster = place.cluster(taskmanagers=0)
    numbers = "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '3'{});\n"
    files = "CREATE TABLE files (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'{});\nSELECT n FROM files;\n"
    select = "SELECT n FROM numbers;\n"
    wrong = {
        "rows-per-second": numbers.format(", 'rows-per-second' = 'abc'") + select,
        "fields.n.min": numbers.format(", 'fields.n.min' = '5', 'fields.n.max' = '1'") + select,
        "number-of-rows": numbers.replace("'3'", "'-3'").format("") + select,
        "csv.field-delimiter": files.format(place.folder, ", 'csv.field-delimiter' = ';;'"),
        "Mars/Phobos": "SET 'table.local-time-zone' = 'Mars/Phobos';\n" + numbers.format("") + select,
        place.path("nowhere"): files.format(place.path("nowhere"), ""),
    }
    for word, text in wrong.items():
        code, out, error = client("run", place.write("wrong.sql", text))
        check(code == 2 and out == "" and word in error, f"{word}: exit {code}, standard output {out!r}, {error}")
    code, _, error = client("submit", place.write("wrong.sql", "CREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');\n"
                            + numbers.format(", 'rows-per-second' = 'abc'") + "INSERT INTO nothing SELECT n FROM numbers;\n"), "--jobmanager", cluster.url)
    check(code == 2 and "rows-per-second" in error and cluster.get("/jobs")["jobs"] == [], f"submit: exit {code}, {error}")
    code, out, error = client("run", place.write("right.sql", numbers.format("") + select), "-s", place.path("nope"))
    check(code == 2 and out == "" and "nope" in error, f"a checkpoint that is not there: exit {code}, standard output {out!r}, {error}")
    code, _, error = client("run", place.write("near.sql", "SET 'execution.checkpointing.intervall' = '1 s';\n" + numbers.format("") + select))
    check(code == 0 and "line 1" in error and "did you mean execution.checkpointing.interval?" in error, f"a mistyped SET: exit {code}, {error}")


@story
def numbers_below_zero_are_refused_by_the_name_of_their_option(place):
    template = place.write("template", "{{random.number(10)}}")
    for option in ("--rate", "--rows", "--file-rows", "--file-seconds"):
        code, out, error = client("datagen", "--template", template, option, "-1")
        check(code == 2 and out == "" and f"{option} is" in error, f"{option} -1: exit {code}, standard output {out!r}, {error}")


@story
def an_application_with_a_wrong_option_does_not_start(place):
    job = "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '{}');\nCREATE TABLE nothing (n BIGINT) WITH ('connector' = 'blackhole');\n" \
          "INSERT INTO nothing SELECT n FROM numbers;\n"
    wrong = {"rows-per-second": job.format("abc"), "execution.checkpointing.dir": "SET 'execution.checkpointing.interval' = '1 s';\n" + job.format(10)}
    ports = place.path("ports")
    for word, text in wrong.items():
        process = subprocess.run([os.path.join(os.path.dirname(swiftwater), "jobmanager"), "standalone-job", "--sql", place.write("wrong.sql", text), "--host", "127.0.0.1",
                                  "-D", "jobmanager.rpc.port=0", "-D", "rest.port=0", "--ports-file", ports], capture_output=True, text=True, timeout=20)
        words = process.stdout + process.stderr
        check(process.returncode == 2 and word in words and not os.path.exists(ports), f"{word}: exit {process.returncode}, {words}")


@story
def rows_that_cannot_be_printed_end_the_run(place):
    script = place.write("endless.sql", "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');\nSELECT n FROM numbers;\n")
    for format in ("table", "csv", "json", "changelog"):
        with open("/dev/full", "w") as full:
            process = subprocess.run([swiftwater, "run", script, "--output", format], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
        check(process.returncode == 1 and "No space left" in process.stderr, f"{format}: exit {process.returncode}, {process.stderr}")


@story
def a_client_without_a_job_manager_says_so_at_once(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    code, _, error = client("list", "--jobmanager", url)
    check(code == 1 and f"{url} (connection refused)" in error and "--jobmanager" in error, f"exit {code}, {error}")
    check(time.monotonic() - began < 20, "it took longer than 20 s")
    cluster = place.cluster(taskmanagers=0)
    with open(os.path.join(cluster.folder, "ports")) as file:
        rpc = dict(line.strip().split("=") for line in file)["rpc"]
    code, _, error = client("list", "--jobmanager", f"http://127.0.0.1:{rpc}")
    check(code == 1 and "not a REST API" in error, f"the port for TaskManagers: exit {code}, {error}")


@story
def each_restart_is_told_with_its_cause(place):
    settings = {"execution.checkpointing.interval": "1 s", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": "2",
                "restart-strategy.fixed-delay.delay": "50 ms"}
    script = place.write("failing.sql", "".join(f"SET '{key}' = '{value}';\n" for key, value in settings.items())
                         + "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '3');\n"
                         "CREATE TABLE files (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '/proc/nowhere', 'format' = 'csv');\n"
                         "INSERT INTO files SELECT n FROM numbers;\n")
    cluster = place.cluster(taskmanagers=1)
    for command in (("submit", script, "--jobmanager", cluster.url), ("run", script)):
        code, _, error = client(*command)
        told = [line for line in error.splitlines() if line.startswith("restart ")]
        check(code == 1 and len(told) == 2 and all("/proc/nowhere" in line for line in told), f"swiftwater {command[0]}: exit {code}, {error}")
    job = cluster.get("/jobs/overview")["jobs"][0]["jid"]
    check("last failure" in (info := cluster.client("info", job)) and "/proc/nowhere" in info, f"info: {info}")
