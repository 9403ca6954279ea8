"""A job whose layout changes while it runs, and what its stories ask of it: nothing restarts, nobody reads anything twice."""
import json
import os
import signal
import struct
import subprocess
import threading
import time

import cluster as local
from cluster import Failure, wait

from . import ticks
from .harness import check, say

SETTINGS = (
    ("execution.checkpointing.interval", "200 ms"), ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", "1000"), ("restart-strategy.fixed-delay.delay", "0 s"))
REACTIVE = (
    ("scheduler-mode", "reactive"), ("jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", "200 ms"),
    ("jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", "0 s"))


class Job:
    """Highest prices of ticks that come at a rate, so that it runs for about `seconds`."""

    def __init__(self, place, taskmanagers, slots=1, parallelism=None, reactive=False, seconds=12, rate=15_000, settings=()):
        self.place, self.output = place, place.path("out")
        self.data = ticks.Ticks(place.path("ticks"), rows=seconds * rate, tickers=200, rows_a_file=10_000)
        os.makedirs(self.output)
        self.cluster = place.cluster(taskmanagers=taskmanagers, slots=slots)
        settings = [*SETTINGS, *(REACTIVE if reactive else ()), *settings, *([("parallelism.default", parallelism)] if parallelism else [])]
        self.id = self.cluster.submit(ticks.script(place.path("job.sql"), self.data.folder, self.output, rate=rate, settings=settings))
        self.positions = Positions(os.path.join(self.cluster.folder, "checkpoints", self.id))
        wait(lambda: self.cluster.completed(self.id) > 1, 30, "the first checkpoints")

    # What runs where.

    def tasks(self):
        """{(vertex, subtask): (attempt, TaskManager)}; None while not every task runs."""
        state = self.cluster.state(self.id)
        check(state["state"] not in ("FAILED", "FINISHED", "CANCELED"), f"the job is {state['state']} too early: {self.cluster.root_exception(self.id)}")
        if state["state"] != "RUNNING":
            return None
        found = {}
        for vertex in state["vertices"]:
            for task in self.cluster.get(f"/jobs/{self.id}/vertices/{vertex['id']}")["subtasks"]:
                found[vertex["id"], task["subtask"]] = (task["attempt"], task["taskmanager-id"])
        return found

    def holders(self):
        return sorted({name for _, name in (self.tasks() or {}).values()})

    def parallelism(self):
        return [vertex["parallelism"] for vertex in self.cluster.state(self.id)["vertices"]]

    def until(self, parallelism, seconds=15):
        return wait(lambda: set(self.parallelism()) == {parallelism} and self.tasks(), seconds, f"parallelism {parallelism}")

    def changes(self):
        """The layouts that the job changed to, as the JobManager's log tells: (epoch, reason)."""
        lines = [line for line in self.cluster.log_text("jobmanager").splitlines() if f"({self.id}) changes to layout " in line]
        return [line.split("changes to layout ")[1].split(": parallelism")[0] for line in lines]

    def concluded(self):
        return self.cluster.log_text("jobmanager").count(f"({self.id}) runs layout ")

    # What happens to it.

    def terminate(self, *names):
        """SIGTERM to all of them at once; the pids."""
        pids = [self.cluster.processes()[name] for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        return pids

    def kill(self, name):
        os.kill(self.cluster.processes()[name], signal.SIGKILL)

    def more(self, count=3, seconds=15):
        """So many more checkpoints."""
        before = self.cluster.completed(self.id)
        wait(lambda: self.cluster.completed(self.id) >= before + count, seconds, f"{count} more checkpoints")

    def finish(self, restarts=0, seconds=90):
        """To its end; the output is the naive answer, and nothing restarted but what was meant to."""
        state = self.cluster.ended(self.id, seconds)
        self.positions.end()
        check(state["state"] == "FINISHED", f"the job ended {state['state']}: {self.cluster.root_exception(self.id)}")
        if restarts is not None:
            check(state["restarts"] == restarts, f"{state['restarts']} restarts instead of {restarts}: {self.cluster.root_exception(self.id)}")
        metrics = {entry["id"]: entry["value"] for entry in self.cluster.get(f"/jobs/{self.id}/metrics?get=numRestarts,fullRestarts")}
        check(restarts != 0 or set(metrics.values()) <= {"0"}, f"metrics say {metrics}")
        if restarts == 0:
            check(not self.positions.backward, f"readers went back: {self.positions.backward[:3]}")
            check(self.positions.seen > 3, f"only {self.positions.seen} checkpoints were looked at")
        words = ticks.difference(self.data.answer, ticks.committed(self.output))
        check(words is None, f"the committed output is not the naive answer: {words}")
        check(ticks.hidden(self.output) == [], f"leftovers in the output: {ticks.hidden(self.output)}")
        return state


class Application(Job):
    """The same job in `jobmanager standalone-job`, which another JobManager goes on with when this one is killed."""

    def __init__(self, place, taskmanagers, parallelism, seconds, rate=15_000):
        self.place, self.output, self.id = place, place.path("out"), "0" * 24 + "deadbeef"
        self.data = ticks.Ticks(place.path("ticks"), rows=seconds * rate, tickers=200, rows_a_file=10_000)
        os.makedirs(self.output)
        settings = [*SETTINGS, ("parallelism.default", parallelism)]
        self.script = ticks.script(place.path("job.sql"), self.data.folder, self.output, rate=rate, settings=settings)
        # Ports, folders and configuration of a session; its JobManager makes place for ours.
        self.cluster = place.cluster(taskmanagers=0)
        self.restart_job_manager()
        for _ in range(taskmanagers):
            self.cluster.add()

    def restart_job_manager(self):
        cluster = self.cluster
        self.kill("jobmanager")
        wait(lambda: "jobmanager" not in cluster.processes(), 10, "the JobManager to be gone")
        with open(os.path.join(cluster.folder, "ports")) as file:
            ports = dict(line.strip().split("=", 1) for line in file)
        command = [os.path.join(local.binaries, "jobmanager"), "standalone-job", "--sql", self.script, "--job-id", self.id,
                   "-D", f"rest.port={ports['rest']}", "-D", f"jobmanager.rpc.port={ports['rpc']}"]
        environment = os.environ | {"SWIFTWATER_CONF_DIR": os.path.join(cluster.folder, "conf")}
        with open(cluster.log("jobmanager"), "a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=local.top, start_new_session=True)
        self.place.started.append(self.process)
        with open(os.path.join(cluster.folder, "pids", "jobmanager.pid"), "w") as file:
            file.write(str(self.process.pid))

    def log(self):
        return self.cluster.log_text("jobmanager")

    def running(self):
        def look():
            try:
                return self.tasks() and self.cluster.completed(self.id) > 1
            except Failure:
                if self.process.poll() is not None:
                    raise
        wait(look, 30, "the job to run, with checkpoints")

    def finish(self):
        wait(lambda: self.process.poll() is not None, 90, "the job's end")
        check(self.process.returncode == 0, f"the JobManager ended with {self.process.returncode}")
        words = ticks.difference(self.data.answer, ticks.committed(self.output))
        check(words is None, f"the committed output is not the naive answer: {words}")
        check(ticks.hidden(self.output) == [], f"leftovers in the output: {ticks.hidden(self.output)}")


class Positions:
    """Looks at every checkpoint that it can catch: where each split is read. None may be read from an earlier row than before."""

    def __init__(self, folder):
        self.folder, self.at, self.seen, self.backward = folder, {}, 0, []
        self.newest, self.isOver = 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def end(self):
        self.isOver = True
        self.thread.join()

    def run(self):
        while not self.isOver:
            self.look()
            time.sleep(0.02)

    def look(self):
        try:
            # A manifest counts once HEAD names it.
            with open(os.path.join(self.folder, "HEAD")) as file:
                retained = json.load(file)["value"]["retained"]
            for entry in retained:
                if entry["checkpoint"] > self.newest:
                    with open(os.path.join(os.path.dirname(self.folder), entry["manifest"])) as file:
                        self.compare(entry["checkpoint"], json.load(file)["value"])
        except (OSError, ValueError, KeyError):
            pass  # Being replaced or removed.

    def compare(self, checkpoint, manifest):
        self.newest, self.seen = checkpoint, self.seen + 1
        states = [state for task in manifest["subtasks"] for state in task["splits"]]
        states += [state for enumerator in manifest["enumerators"] for state in enumerator["pending"]]
        here = {}
        for state in states:
            name, bytes_ = state["split"]["id"], bytes(state["position"])
            here[name] = struct.unpack("<q", bytes_)[0] if bytes_ else 0
        for name, old in self.at.items():
            if name in here and here[name] < old:
                self.backward.append(f"split {name} from {old} to {here[name]} in checkpoint {checkpoint}")
        for name in self.at.keys() - here.keys():
            here[name] = 1 << 62  # Read to its end: it may not come back.
        self.at = here
