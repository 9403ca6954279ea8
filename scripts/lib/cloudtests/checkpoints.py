"""Checkpoints and savepoints in a bucket."""
import os
import signal

from cluster import wait

from clustertests import ticks
from clustertests.harness import check, say, story

CHECKPOINTS = (("execution.checkpointing.interval", "200 ms"),)


@story
def checkpoints_in_a_bucket_survive_kill_9_and_a_savepoint_goes_on_from_it(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000), place.path("out")
    cluster = place.cluster(taskmanagers=2, slots=2, settings=[
        f"execution.checkpointing.dir=s3://{place.bucket}/recovery", f"execution.checkpointing.savepoint-dir=s3a://{place.bucket}/saved"])
    script = ticks.script(place.path("1.sql"), data.folder, output, rate=8_000, settings=[*CHECKPOINTS, ("parallelism.default", 2)])
    job = cluster.submit(script)
    wait(lambda: cluster.completed(job) > 3, 30, "checkpoints in the bucket")
    check(place.keys(f"recovery/{job}/"), f"nothing of the job below recovery/: {list(place.keys())}")
    victim = next(pid for name, pid in cluster.processes().items() if name.startswith("taskmanager"))
    os.kill(victim, signal.SIGKILL)
    cluster.add()
    wait(lambda: cluster.state(job)["state"] == "RUNNING" and cluster.state(job)["restarts"] == 1, 30, "the job to run again")
    before = cluster.completed(job)
    wait(lambda: cluster.completed(job) > before + 2, 30, "checkpoints after the kill")
    savepoint = cluster.client("stop", job).split("Path:")[1].strip()
    check(savepoint.startswith(f"s3a://{place.bucket}/saved/"), f"the savepoint is at {savepoint}")
    check(cluster.ended(job, 10)["state"] == "FINISHED", "a stopped job is FINISHED")
    lines = ticks.committed(output)
    check(lines and len(lines) < len(data.answer), f"{len(lines)} of {len(data.answer)} lines before the stop: nothing is left to do")
    again = ticks.script(place.path("2.sql"), data.folder, output, rate=20_000, settings=[*CHECKPOINTS, ("parallelism.default", 3)])
    cluster.client("submit", again, "-s", savepoint)
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the output is not the undisturbed one: {words}")
    say(f"{len(lines)} lines before the savepoint, {len(data.answer) - len(lines)} after it with parallelism 3")
