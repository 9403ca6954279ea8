"""A disk for checkpoints that is full for a while."""
import os
import subprocess

from cluster import wait

from . import ticks
from .harness import Skipped, check, say, story


@story
def a_full_disk_fails_checkpoints_and_loses_nothing_that_is_committed(place):
    small = place.path("small-disk")
    os.makedirs(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", small], capture_output=True).returncode:
        raise Skipped("no tmpfs may be mounted here")
    try:
        on_full_disk(place, small)
    finally:
        for cluster in place.clusters:
            cluster.stop()
        subprocess.run(["umount", "-l", small], capture_output=True)


def on_full_disk(place, small):
    data, output = ticks.Ticks(place.path("ticks"), rows=120_000, tickers=20, rows_a_file=5_000), place.path("out")
    cluster = place.cluster(taskmanagers=1, slots=1)
    job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=20_000, settings=[
        ("execution.checkpointing.interval", "200 ms"), ("execution.checkpointing.dir", f"file://{small}/checkpoints"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "1000")]))
    wait(lambda: ticks.committed(output), 30, "the first committed rows")
    filler = os.path.join(small, "filler")
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass

    def counts():
        return cluster.get(f"/jobs/{job}/checkpoints")["counts"]

    wait(lambda: counts()["failed"] >= 3, 20, "checkpoints to fail on the full disk")
    at_full, completed = ticks.committed(output), counts()["completed"]
    state = cluster.state(job)
    check(state["state"] == "RUNNING" and state["restarts"] == 0, f"the job is {state['state']} after {state['restarts']} restarts")
    failed = next(entry for entry in cluster.get(f"/jobs/{job}/checkpoints")["history"] if entry["status"] == "FAILED")
    say(f"checkpoint {failed['id']} failed: {failed['failure_message'].replace(place.folder, '…')}")
    os.unlink(filler)
    wait(lambda: counts()["completed"] > completed, 20, "a checkpoint after there is room again")
    state = cluster.ended(job, 60)
    check(state["state"] == "FINISHED" and state["restarts"] == 0, f"the job is {state['state']} after {state['restarts']} restarts")
    check(set(at_full) <= set(ticks.committed(output)), "rows that were committed are gone")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the job's output: {words}")
