"""Checkpoints and savepoints in a bucket."""
import os
import re
import signal
import subprocess

import cluster as local
from cluster import wait

from clustertests import ticks
from clustertests.harness import Skipped, check, say, story

from . import stubs

CHECKPOINTS = (("execution.checkpointing.interval", "200 ms"),)


@story
def checkpoints_in_a_bucket_survive_kill_9_and_a_savepoint_goes_on_from_it(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000), place.path("out")
    os.makedirs(place.path("copies"))
    cluster = place.cluster(taskmanagers=2, slots=2, settings=[
        f"execution.checkpointing.dir=s3://{place.bucket}/recovery", f"execution.checkpointing.savepoint-dir=s3a://{place.bucket}/saved",
        f"io.tmp.dirs={place.path('copies')}"])
    script = ticks.script(place.path("1.sql"), data.folder, output, rate=8_000, settings=[*CHECKPOINTS, ("parallelism.default", 2)])
    job = cluster.submit(script)
    wait(lambda: cluster.completed(job) > 3, 30, "checkpoints in the bucket")
    check(place.keys(f"recovery/{job}/"), f"nothing of the job below recovery/: {list(place.keys())}")
    names = sorted(name for name in cluster.processes() if name.startswith("taskmanager"))
    survivor = names[1]
    os.kill(cluster.processes()[names[0]], signal.SIGKILL)
    cluster.add()
    wait(lambda: cluster.state(job)["state"] == "RUNNING" and cluster.state(job)["restarts"] == 1, 30, "the job to run again")
    before = cluster.completed(job)
    wait(lambda: cluster.completed(job) > before + 2 and ticks.committed(output), 30, "checkpoints after the kill, and results")
    read = re.search(r"read (\d+) bytes from local copies, (\d+) from the store", cluster.log_text(survivor))
    check(read and int(read[1]) > 0, f"the survivor restored without its own copies: {read and read[0]}")
    check(os.listdir(place.path("copies")) == [], "local copies have names")
    savepoint = cluster.client("stop", job).split("Path:")[1].strip()
    check(savepoint.startswith(f"s3a://{place.bucket}/saved/"), f"the savepoint is at {savepoint}")
    check(cluster.ended(job, 10)["state"] == "FINISHED", "a stopped job is FINISHED")
    lines = ticks.committed(output)
    check(lines and len(lines) < len(data.answer), f"{len(lines)} of {len(data.answer)} lines before the stop: nothing is left to do")
    again = ticks.script(place.path("2.sql"), data.folder, output, rate=20_000, settings=[*CHECKPOINTS, ("parallelism.default", 3)])
    cluster.client("submit", again, "-s", savepoint)
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the output is not the undisturbed one: {words}")
    say(f"the survivor {read[0]}; {len(lines)} lines before the savepoint, {len(data.answer) - len(lines)} after it with parallelism 3")


@story
def survivors_of_a_loss_read_nothing_from_the_bucket_and_a_spare_slot_reads_what_was_lost(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=200, rows_a_file=5_000), place.path("out")
    os.makedirs(place.path("copies"))
    cluster = place.cluster(taskmanagers=4, slots=1, settings=[
        f"execution.checkpointing.dir=s3://{place.bucket}/recovery", f"io.tmp.dirs={place.path('copies')}"])
    job = cluster.submit(ticks.script(place.path("1.sql"), data.folder, output, rate=8_000, settings=[*CHECKPOINTS, ("parallelism.default", 3)]))
    wait(lambda: cluster.completed(job) > 3, 30, "checkpoints in the bucket")
    names = sorted(name for name in cluster.processes() if name.startswith("taskmanager"))
    holders = [name for name in names if "Deployed job" in cluster.log_text(name)]
    [spare] = set(names) - set(holders)
    os.kill(cluster.processes()[holders[1]], signal.SIGKILL)
    wait(lambda: cluster.state(job)["state"] == "RUNNING" and cluster.state(job)["restarts"] == 1, 30, "the job to run again")

    def read(name):
        found = re.search(r"read (\d+) bytes from local copies, (\d+) from the store", cluster.log_text(name))
        return found and (int(found[1]), int(found[2]))

    figures = {name: wait(lambda: read(name), 10, f"what {name} restores") for name in (holders[0], holders[2], spare)}
    for name in (holders[0], holders[2]):
        check(figures[name][0] > 0 and figures[name][1] == 0, f"{name} has read {figures[name]} bytes of its own and from the bucket")
    check(figures[spare][0] == 0 and figures[spare][1] > 0, f"{spare} has read {figures[spare]} bytes of its own and from the bucket")
    check(cluster.ended(job, 90)["state"] == "FINISHED", "the job has not finished")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the output is not the undisturbed one: {words}")
    say(f"bytes of its own and from the bucket: {figures}")


@story
def a_bucket_that_is_slow_or_silent_at_times_costs_no_row_and_no_restart(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000), place.path("out")
    front = stubs.Unreliable(place.clouds.s3().url)
    try:
        cluster = place.cluster(
            taskmanagers=2, slots=2, environment=place.environment(AWS_ENDPOINT_URL_S3=front.url),
            settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"])
        job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=8_000, settings=[*CHECKPOINTS, ("parallelism.default", 2)]))
        state = cluster.ended(job, 90)
        check(state["state"] == "FINISHED", f"the job ended {state['state']}: {cluster.root_exception(job)}")
        check(state["restarts"] == 0, f"{state['restarts']} restarts")
        words = ticks.difference(data.answer, ticks.committed(output))
        check(words is None, f"the output is not the undisturbed one: {words}")
        counts = cluster.get(f"/jobs/{job}/checkpoints")["counts"]
        check(counts["failed"] == 0, f"{counts['failed']} checkpoints failed")
        check(front.slowed > 3 and front.unanswered > 3, f"only {front.slowed} requests were slowed and {front.unanswered} not answered")
        say(f"{counts['completed']} checkpoints over {front.slowed} times 503 and {front.unanswered} lost answers")
    finally:
        front.stop()


@story
def every_promise_of_a_store_holds_on_a_server(place):
    """Tests/StorageTests tells them; here they are told of SeaweedFS."""
    if not os.path.exists(os.path.join(local.binaries, "swiftwaterPackageTests.xctest")):
        raise Skipped("the tests are not built: swift build --build-tests -c release -Xswiftc -enable-testing")
    result = subprocess.run(
        ["swift", "test", "--skip-build", "-c", "release", "-Xswiftc", "-enable-testing", "--filter", "ObjectStoreTests"], cwd=local.top,
        env=place.environment(SWIFTWATER_TEST_BUCKET=place.bucket), capture_output=True, text=True, timeout=300)
    check(result.returncode == 0, "\n".join(line for line in (result.stdout + result.stderr).splitlines() if "✘" in line or "error" in line))
    check(place.keys("store-"), "the server was not asked")
