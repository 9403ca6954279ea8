"""Stopping, cancelling and starting again from savepoints; what is wrong or damaged is refused."""
import os
import shutil
import signal
import subprocess
import urllib.parse

from cluster import wait

from . import ticks
from .changes import Application
from .harness import check, client, say, story
from .rescale import post

CHECKPOINTS = (("execution.checkpointing.interval", "200 ms"),)


def small(place, rows=60_000):
    return ticks.Ticks(place.path("ticks"), rows=rows, tickers=20, rows_a_file=5_000)


def folder_of(uri):
    return urllib.parse.urlparse(uri).path


def stopped(cluster, job, *arguments):
    """The savepoint's folder, as `swiftwater stop` says it."""
    return cluster.client("stop", job, *arguments).split("Path:")[1].strip()


@story
def a_job_stopped_with_a_savepoint_goes_on_from_it_with_another_parallelism(place):
    data, output = small(place), place.path("out")
    cluster = place.cluster(taskmanagers=2, slots=2)
    job = cluster.submit(ticks.script(place.path("1.sql"), data.folder, output, rate=20_000, settings=[*CHECKPOINTS, ("parallelism.default", 1)]))
    wait(lambda: ticks.committed(output), 30, "the first committed rows")
    savepoint = stopped(cluster, job)
    check(cluster.ended(job, 10)["state"] == "FINISHED", "a stopped job is FINISHED")
    before = ticks.committed(output)
    check(before and len(before) < len(data.answer), f"{len(before)} of {len(data.answer)} lines before the stop: nothing is left to do")
    check(ticks.hidden(output) == [], f"leftovers after the stop: {ticks.hidden(output)}")
    again = ticks.script(place.path("2.sql"), data.folder, output, rate=20_000, settings=[*CHECKPOINTS, ("parallelism.default", 3)])
    cluster.client("submit", again, "-s", savepoint)
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the two jobs' output is not the undisturbed one: {words}")
    say(f"{len(before)} lines before the savepoint, {len(data.answer) - len(before)} after it with parallelism 3")


@story
def draining_closes_the_windows_that_are_open(place):
    data, output = small(place), place.path("out")
    cluster = place.cluster(taskmanagers=1, slots=2)
    job = cluster.submit(ticks.script(
        place.path("job.sql"), data.folder, output, settings=[*CHECKPOINTS, ("parallelism.default", 2)], options=[("source.monitor-interval", "100 ms")]))

    def all_read():
        splits = next(vertex["splits"] for vertex in cluster.state(job)["vertices"] if vertex["splits"])
        return splits["known"] >= data.files and splits["pending"] == 0 and splits["handed-out"] == 0

    wait(all_read, 30, "every file to be read")
    check(len(ticks.committed(output)) < len(data.answer), "windows were closed before anybody drained the job")
    stopped(cluster, job, "--drain")
    check(cluster.ended(job, 10)["state"] == "FINISHED", "a drained job is FINISHED")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"after the drain: {words}")


@story
def cancelling_shows_whole_checkpoints_only(place):
    data, output = small(place), place.path("out")
    cluster = place.cluster(taskmanagers=1, slots=2)
    job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=20_000, settings=[*CHECKPOINTS, ("parallelism.default", 2)]))
    wait(lambda: ticks.committed(output), 30, "the first committed rows")
    cluster.client("cancel", job)
    check(cluster.ended(job, 10)["state"] == "CANCELED", "a cancelled job is CANCELED")
    lines = ticks.committed(output)
    check(set(lines) < set(data.answer) and len(lines) == len(set(lines)), "rows that no checkpoint covers are visible, or rows are there twice")
    wait(lambda: ticks.hidden(output) == [], 10, "the hidden files of the cancelled job to be removed")


@story
def a_savepoint_that_is_deleted_too_early_fails_the_job_in_words(place):
    data, output = small(place), place.path("out")
    cluster = place.cluster(taskmanagers=2, slots=1)
    job = cluster.submit(ticks.script(place.path("1.sql"), data.folder, output, rate=5_000, settings=CHECKPOINTS))
    wait(lambda: cluster.completed(job) > 2, 30, "checkpoints")
    savepoint = stopped(cluster, job)
    before = ticks.committed(output)
    # Without checkpoints of its own nothing else is there to recover from.
    settings = (("restart-strategy.type", "fixed-delay"), ("restart-strategy.fixed-delay.attempts", 50), ("restart-strategy.fixed-delay.delay", "50 ms"))
    words = cluster.client("submit", ticks.script(place.path("2.sql"), data.folder, output, rate=500, settings=settings), "--detached", "-s", savepoint).split()
    job = words[words.index("JobID") + 1]
    wait(lambda: cluster.state(job)["state"] == "RUNNING", 20, "the job to run")
    shutil.rmtree(folder_of(savepoint))
    victim = next(name for name in cluster.processes() if name.startswith("taskmanager") and f"({job})" in cluster.log_text(name))
    os.kill(cluster.processes()[victim], signal.SIGKILL)
    check(cluster.ended(job, 30)["state"] == "FAILED", "a job whose savepoint is gone cannot go on")
    words = cluster.root_exception(job)
    check(os.path.basename(folder_of(savepoint)) in words and "needed until the job has a checkpoint of its own" in words, f"the failure is told as: {words}")
    say(words.strip().splitlines()[0].replace(place.folder, "…"))
    check(ticks.committed(output) == before, "rows were committed that no checkpoint covers")


@story
def what_cannot_be_restored_is_refused_by_name(place):
    data, output = small(place), place.path("out")
    cluster = place.cluster(taskmanagers=1, slots=2)
    script = ticks.script(place.path("job.sql"), data.folder, output, rate=20_000, settings=CHECKPOINTS)

    def refused(path, *words):
        code, out, error = client("submit", script, "-s", path, "--jobmanager", cluster.url)
        check(code == 2, f"exit {code} instead of 2 from {path}: {out}{error}")
        for word in words:
            check(word in error, f"'{word}' is not in: {error}")
        say(error.strip().splitlines()[-1].replace(place.folder, "…"))

    refused(place.path("nowhere"), "nowhere", "_metadata")
    job = cluster.submit(script)
    wait(lambda: cluster.completed(job) > 2, 30, "checkpoints")
    savepoint = stopped(cluster, job)
    folder = folder_of(savepoint)
    check(cluster.ended(job, 10)["state"] == "FINISHED", "a stopped job is FINISHED")
    before = ticks.committed(output)

    # Another job's savepoint.
    other = place.write("other.sql", "CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');\n"
                        "CREATE TABLE nothing (n BIGINT, c BIGINT) WITH ('connector' = 'blackhole');\nINSERT INTO nothing SELECT n, COUNT(*) FROM numbers GROUP BY n;\n")
    code, out, error = client("submit", other, "-s", savepoint, "--jobmanager", cluster.url)
    check(code == 2, f"another job's savepoint: exit {code} instead of 2: {out}{error}")

    def with_flipped_byte(path, body):
        with open(path, "rb") as file:
            whole = bytearray(file.read())
        damaged = bytearray(whole)
        damaged[len(damaged) // 2] ^= 0x10
        try:
            with open(path, "wb") as file:
                file.write(damaged)
            body()
        finally:
            with open(path, "wb") as file:
                file.write(whole)

    metadata = os.path.join(folder, "_metadata")
    with_flipped_byte(metadata, lambda: refused(savepoint, "_metadata", os.path.basename(folder)))
    objects = [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names if name != "_metadata" and not name.startswith(".")]
    largest = max((path for path in objects if ".locks" not in path), key=os.path.getsize)

    def state_refused():
        code, out, error = client("submit", script, "-s", savepoint, "--jobmanager", cluster.url, "-D", "restart-strategy.type=none", timeout=30)
        check(code in (1, 2), f"a damaged state object: exit {code}: {out}{error}")
        check(os.path.basename(largest) in error, f"the object {os.path.basename(largest)} is not named: {error}")
        say(error.strip().splitlines()[-1].replace(place.folder, "…"))
        check(ticks.committed(output) == before, "a job that cannot be restored has written rows")

    with_flipped_byte(largest, state_refused)
    cluster.client("submit", script, "-s", savepoint)
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"after all that, from the whole savepoint: {words}")
    check(cluster.get("/overview")["jobs-running"] == 0, "a job is left")


@story
def an_application_that_is_stopped_waits_until_who_asked_knows_it(place):
    job = Application(place, taskmanagers=1, parallelism=1, seconds=60)
    job.running()
    request = "5" * 32
    post(job.cluster, f"/jobs/{job.id}/stop", {"drain": False, "triggerId": request})
    wait(lambda: "switched from state RUNNING to FINISHED" in job.log(), 30, "the job's end")
    try:
        job.process.wait(1)
        check(False, "the JobManager ended before its answer was asked for")
    except subprocess.TimeoutExpired:
        pass
    answer = job.cluster.get(f"/jobs/{job.id}/savepoints/{request}")
    check(answer["status"]["id"] == "COMPLETED" and os.path.exists(folder_of(answer["operation"]["location"])), f"{answer}")
    check(job.process.wait(5) == 0, f"the JobManager ended with {job.process.returncode}")


@story
def a_stop_that_is_asked_for_twice_is_one_stop(place):
    """As by a client whose answer was lost; the same id for another job is another stop."""
    script = place.write("job.sql", """CREATE TABLE n (k BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
        CREATE TABLE g (k BIGINT) WITH ('connector' = 'blackhole');
        INSERT INTO g SELECT k FROM n;""")
    cluster, request = place.cluster(taskmanagers=1, slots=2), "A" * 32
    jobs = [cluster.submit(script) for _ in range(2)]
    for job in jobs:
        wait(lambda: cluster.state(job)["state"] == "RUNNING", 20, "the job to run")
    locations = []
    for job in jobs:
        for _ in range(2):
            post(cluster, f"/jobs/{job}/stop", {"targetDirectory": place.path("savepoints"), "triggerId": request})
        ended = lambda: (answer := cluster.get(f"/jobs/{job}/savepoints/{request}"))["status"]["id"] == "COMPLETED" and answer
        locations.append(wait(ended, 20, "the stop")["operation"].get("location"))
        check(cluster.ended(job, 10)["state"] == "FINISHED", "the job goes on")
        post(cluster, f"/jobs/{job}/stop", {"targetDirectory": place.path("savepoints"), "triggerId": request})
        check(cluster.get(f"/jobs/{job}/savepoints/{request}")["operation"].get("location") == locations[-1], "the third answer is another one")
    made = [name for name in os.listdir(place.path("savepoints")) if name.startswith("savepoint-")]
    check(len(set(locations)) == len(made) == 2 and all(location and os.path.exists(folder_of(location)) for location in locations), f"{locations}, made are {made}")
