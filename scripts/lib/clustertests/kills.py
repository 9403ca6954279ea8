"""kill -9 of TaskManagers, at least 20 times in one job, with a record of what each kill cut off."""
import os
import random
import signal
import time

from cluster import Failure, wait

from . import ticks
from .harness import check, say, story, swiftwater_run
from .watch import Watch

KILLS, MOST, LEAST = 20, 40, 3
PHASES = ("alignment", "upload", "commit")
SETTINGS = (
    ("execution.checkpointing.interval", "200 ms"), ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", "1000000"), ("restart-strategy.fixed-delay.delay", "0 s"))


@story
def killing_task_managers_at_random_moments_loses_and_doubles_nothing(place):
    data = ticks.Ticks(place.path("ticks"), rows=600_000, tickers=200, rows_a_file=20_000)
    undisturbed = swiftwater_run(place, ticks.script(place.path("undisturbed.sql"), data.folder, place.path("undisturbed")))
    check(undisturbed == 0, f"swiftwater run ended with {undisturbed}")
    words = ticks.difference(data.answer, ticks.committed(place.path("undisturbed")))
    check(words is None, f"swiftwater run and the naive evaluation differ: {words}")

    cluster = place.cluster(taskmanagers=3, slots=1)
    output = place.path("out")
    os.makedirs(output)
    job = cluster.submit(ticks.script(
        place.path("job.sql"), data.folder, output, rate=15_000, settings=[*SETTINGS, ("parallelism.default", 2)]))
    wait(lambda: cluster.completed(job) > 0, 30, "the first checkpoint")
    watch = Watch(cluster.log("jobmanager"), os.path.join(cluster.folder, "checkpoints", job), output)
    killer = Killer(cluster, job, watch, random.Random(20261122))
    try:
        while len(killer.cuts) < KILLS or (killer.lacking and len(killer.cuts) < MOST):
            killer.kill(len(killer.cuts) + 1)
    finally:
        watch.close()
    counts = {phase: sum(phase in cut for cut in killer.cuts) for phase in PHASES}
    kills = len(killer.cuts)
    say(f"{kills} kills: {', '.join(f'{phase} cut {count} times' for phase, count in counts.items())}")

    state = cluster.ended(job, 180)
    check(state["state"] == "FINISHED", f"the job ended {state['state']}: {cluster.root_exception(job)}")
    check(state["restarts"] == kills, f"{kills} kills, but {state['restarts']} restarts")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the committed output is not the undisturbed one: {words}")
    check(ticks.hidden(output) == [], f"leftovers in the output: {ticks.hidden(output)}")
    for phase, count in counts.items():
        check(count >= LEAST, f"{phase} was cut only {count} times of {LEAST}")


class Killer:
    def __init__(self, cluster, job, watch, chance):
        self.cluster, self.job, self.watch, self.chance = cluster, job, watch, chance
        self.cuts = []  # A set of phases for each kill.

    @property
    def lacking(self):
        return [phase for phase in PHASES if sum(phase in cut for cut in self.cuts) < LEAST]

    def kill(self, number):
        """One kill at the moment aimed for, and what it cut off; returns when the job has completed a checkpoint after it."""
        names = self.running()
        name = self.chance.choice(names)
        pid = self.cluster.processes()[name]
        # Every other kill is at random; the rest aim at what was not hit often enough yet.
        aim = self.chance.choice(self.lacking) if self.lacking and (number % 2 == 0 or number > KILLS) else "random"
        since = len(self.watch.events)
        self.await_moment(aim, pid)
        os.kill(pid, signal.SIGKILL)
        moment = len(self.watch.events)
        at = time.time()
        checkpoints = self.cluster.get(f"/jobs/{self.job}/checkpoints")
        self.cluster.add()
        newest = max((event[1] for _, event in self.watch.events if event[0] in ("triggered", "completed")), default=0)
        self.settle(newest, number)
        before, after = self.watch.events[since:moment], self.watch.events[moment:]
        cut = self.judge(before, after, pid)
        self.cuts.append(cut)
        recovered = next((when for when, event in after if event[0] == "completed" and event[1] > newest), time.time())
        say(f"kill {number:2} of {name:15} aimed at {aim:9} cut {'+'.join(sorted(cut)) or 'processing':16}"
            f" REST: {checkpoints['counts']['completed']} completed, {checkpoints['counts']['in_progress']} in progress;"
            f" next checkpoint complete after {recovered - at:.2f} s")

    def running(self):
        """TaskManagers that run the job, by REST; every task of it runs."""
        def look():
            state = self.cluster.get(f"/jobs/{self.job}")
            check(state["state"] not in ("FAILED", "FINISHED"), f"the job is {state['state']} before {KILLS} kills: {self.cluster.root_exception(self.job)}")
            if state["state"] != "RUNNING" or any(vertex["status"] != "RUNNING" for vertex in state["vertices"]):
                return None
            return sorted({
                task["taskmanager-id"] for vertex in state["vertices"]
                for task in self.cluster.get(f"/jobs/{self.job}/vertices/{vertex['id']}")["subtasks"]})
        return wait(look, 30, "every task to run")

    def await_moment(self, aim, pid):
        """Returns at the moment; after 5 s without it at any."""
        end = time.monotonic() + (self.chance.random() * 0.6 if aim == "random" else 5)
        stored, files = set(), set()
        while (left := end - time.monotonic()) > 0:
            for event in self.watch.read(left):
                if event[0] == "uploaded" and event[2] == "_metadata":
                    stored.add(event[1])
                if event[0] == "pending":
                    files.add(event[1])
                if event[0] == "visible":
                    files.discard(event[1])
                if aim == "alignment" and event[0] == "triggered":
                    return
                if aim == "upload" and event[0] == "uploading" and event[2] == pid:
                    return
                # HEAD names the checkpoint from now on; nobody has been told to commit it.
                if aim == "commit" and event[0] == "head" and stored and files:
                    return

    def settle(self, newest, number):
        """Until a checkpoint that was triggered after the kill is complete."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if any(event[0] == "completed" and event[1] > newest for event in self.watch.read(0.2)):
                return
        raise Failure(f"no checkpoint completed within 30 s after kill {number}")

    def judge(self, before, after, pid):
        """The phases that this kill cut off, by what had and had not happened."""
        cut = set()
        events = [event for _, event in before]
        later = [event for _, event in after]
        for checkpoint in {event[1] for event in events if event[0] == "triggered"}:
            if ("completed", checkpoint) in events + later:
                continue
            if ("uploading", checkpoint, pid) not in events + later:
                cut.add("alignment")  # The barrier was on its way and had not gone through all its tasks.
            elif not self.own(events + later, checkpoint, pid):
                cut.add("upload")  # It had begun to write its object, and that never got its name.
            else:
                cut.add("acknowledgement")
        # A file of the attempt that was killed gets its name only when a checkpoint in HEAD covers it: that commit came after the kill.
        attempts = [int(event[1].split("-")[4]) for event in events if event[0] == "pending"]
        if attempts and any(event[0] == "visible" and int(event[1].split("-")[4]) <= max(attempts) for event in later):
            cut.add("commit")
        return cut

    def own(self, events, checkpoint, pid):
        name = self.cluster.known.get(pid, "")
        return any(event[0] == "uploaded" and event[1] == checkpoint and event[2].startswith(name + "-") for event in events)
