"""What the stories share: a folder of their own, a cluster in it, and an end for everything they started."""
import os
import shutil
import signal
import subprocess
import sys
import time

import cluster as local
from cluster import Failure, swiftwater, wait

stories = []


def story(function):
    """Marks a test; its name is its story."""
    stories.append(function)
    return function


class Skipped(Exception):
    """Cannot be shown on this machine; the words say why."""


def check(condition, words):
    if not condition:
        raise Failure(words)


def say(text):
    print(f"   {text}", flush=True)


class RunningCluster(local.Cluster):
    """A cluster of a story. `known` keeps the names of processes that are gone."""

    def __init__(self, folder):
        super().__init__(folder)
        self.known = {}

    def processes(self):
        found = super().processes()
        self.known.update({pid: name for name, pid in found.items()})
        return found

    def add(self):
        result = self.script("add")
        check(result.returncode == 0, f"no TaskManager could be added: {result.stderr}")
        return result.stdout.split()[0]

    def log(self, name):
        return os.path.join(self.folder, "log", name + ".log")

    def log_text(self, name):
        with open(self.log(name), errors="replace") as file:
            return file.read()

    def completed(self, job):
        return self.get(f"/jobs/{job}/checkpoints")["counts"]["completed"]

    def state(self, job):
        return self.get(f"/jobs/{job}")

    def ended(self, job, seconds):
        """The job's details, once it has ended."""
        return wait(lambda: (state := self.state(job))["state"] in ("FINISHED", "FAILED", "CANCELED") and state, seconds, "the job's end")

    def root_exception(self, job):
        return self.get(f"/jobs/{job}/exceptions").get("root-exception")


class Place:
    """A story's folder; everything started for it ends with it."""

    def __init__(self, folder):
        self.folder = folder
        self.clusters, self.started = [], []
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def cluster(self, taskmanagers=2, slots=1, settings=(), token=None):
        cluster = RunningCluster(self.path(f"cluster-{len(self.clusters) + 1}"))
        cluster.token = token
        self.clusters.append(cluster)
        cluster.start(taskmanagers, slots, settings)
        cluster.processes()
        return cluster

    def start(self, *command):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=local.top, start_new_session=True)
        self.started.append(process)
        return process

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        for cluster in self.clusters:
            cluster.stop()


def client(*arguments, timeout=60):
    """Runs `swiftwater`; (exit code, standard output, standard error)."""
    result = subprocess.run([swiftwater, *arguments], capture_output=True, text=True, timeout=timeout, cwd=local.top)
    return result.returncode, result.stdout, result.stderr


def swiftwater_run(place, script, *arguments):
    """The exit code of `swiftwater run`."""
    code, out, error = client("run", script, *arguments, timeout=120)
    if code:
        say((error or out).strip()[-500:])
    return code


def main(wanted, keep, folder, make_place=Place):
    """Runs the stories whose names contain one of `wanted`, or all; the number that failed."""
    passed, failed, skipped = 0, [], 0
    for function in stories:
        if wanted and not any(word in function.__name__ for word in wanted):
            continue
        print(f"== {function.__name__.replace('_', ' ')}", flush=True)
        place = make_place(os.path.join(folder, function.__name__[:40].rstrip("_")))
        began, problem = time.monotonic(), None
        try:
            function(place)
        except Skipped as words:
            skipped += 1
            say(f"skipped: {words}")
        except (Failure, subprocess.TimeoutExpired, OSError, KeyError) as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            if problem:
                for cluster in place.clusters:
                    print("\n".join(cluster.log_text("jobmanager").splitlines()[-12:]), flush=True)
            place.end()
        if problem:
            failed.append(function.__name__)
            say(f"FAILED after {time.monotonic() - began:.1f} s: {problem}")
            say(f"everything is still in {place.folder}")
        else:
            passed += 1
            say(f"ok, {time.monotonic() - began:.1f} s")
            if not keep:
                shutil.rmtree(place.folder, ignore_errors=True)
    for name in failed:
        print(f"failed: {name}")
    print(f"{passed - skipped} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""), flush=True)
    return len(failed)
