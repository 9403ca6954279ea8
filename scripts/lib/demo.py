#!/usr/bin/env python3
"""Steps 3 to 7 of scripts/demo: cluster, rows, job, kill -9, proof."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

import naive
from cluster import Cluster, Failure, swiftwater, top, wait

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=int, default=20_000)
parser.add_argument("--keep", action="store_true")
options = parser.parse_args()

work = os.path.join(top, ".demo")
ticks, highest = os.path.join(work, "ticks"), os.path.join(work, "highest")
example = os.path.join("examples", "stock-ticker")
cluster = Cluster(os.path.join(work, "cluster"))
generator = None


def title(number, text):
    print(f"\n== {number}/7  {text}", flush=True)


def say(text):
    print(f"   {text}", flush=True)


def shown(path):
    return os.path.relpath(path, top)


def job_state(job):
    state = cluster.get(f"/jobs/{job}")
    if state["state"] in ("FAILED", "CANCELED"):
        raise Failure(f"the job is {state['state']}: {cluster.get(f'/jobs/{job}/exceptions').get('root-exception') or 'no cause is known'}")
    return state


def source_of(state):
    return next(vertex for vertex in state["vertices"] if vertex["name"].startswith("Source"))


def rows_read(state):
    """By the running attempt: a restart counts again from its checkpoint."""
    return source_of(state)["metrics"]["read-records"]


def completed(job):
    return cluster.get(f"/jobs/{job}/checkpoints")["counts"]["completed"]


def results():
    return naive.committed(highest)[1] if os.path.isdir(highest) else []


def start_generator():
    global generator
    log = open(os.path.join(work, "datagen.log"), "w")
    generator = subprocess.Popen(
        [swiftwater, "datagen", "--template", os.path.join(example, "ticks.template.json"), "--rate", str(options.rate), "--to", ticks,
         "--file-seconds", "0.5"], cwd=top, stdout=log, stderr=log)


def stop_generator():
    if generator and generator.poll() is None:
        generator.send_signal(signal.SIGTERM)
        generator.wait(timeout=20)


def watch(job, seconds):
    """Shows the rates for a while."""
    end = time.monotonic() + seconds
    before, since = rows_read(job_state(job)), time.monotonic()
    while time.monotonic() < end:
        time.sleep(2)
        state, now = job_state(job), time.monotonic()
        rows = rows_read(state)
        say(f"{state['state']}: {rows:>9,} ticks read, {max(0, rows - before) / (now - since):>8,.0f} a second, "
            f"{completed(job):>3} checkpoints, {len(results()):>3} results committed")
        before, since = rows, now


def script_with_paths():
    """The example's script, reading and writing below .demo."""
    with open(os.path.join(top, example, "highest-price.sql")) as file:
        text = file.read()
    path = os.path.join(work, "highest-price.sql")
    with open(path, "w") as file:
        file.write(text.replace(f"{example}/data/ticks", ticks).replace(f"{example}/data/highest", highest))
    return path


def victim(state):
    """The TaskManager that runs most of the job, by its name in the pid folder."""
    names = cluster.processes()
    runs = {}
    for vertex in state["vertices"]:
        for subtask in cluster.get(f"/jobs/{state['jid']}/vertices/{vertex['id']}")["subtasks"]:
            name = subtask.get("taskmanager-id")
            runs[name] = runs.get(name, 0) + 1
    known = [name for name in runs if name in names and name.startswith("taskmanager")]
    return max(known, key=runs.get) if known else "taskmanager-1"


def kill_one(job):
    state = job_state(job)
    name = victim(state)
    pid = cluster.processes()[name]
    restarts, checkpoints, had = state.get("restarts", 0), completed(job), set(results())
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    say(f"kill -9 {pid}: {name} is gone, without a word to anybody")

    def running_again():
        state = job_state(job)
        return state if state.get("restarts", 0) > restarts and state["state"] == "RUNNING" and all(
            vertex["status"] == "RUNNING" for vertex in state["vertices"]) else None

    state = wait(running_again, 60, "the job to run again", every=0.02)
    say(f"{time.monotonic() - killed:5.2f} s after the kill: every task runs again, on the slots that are left (restart {state['restarts']})")
    wait(lambda: completed(job) > checkpoints, 60, "a checkpoint after the restart", every=0.02)
    say(f"{time.monotonic() - killed:5.2f} s after the kill: the next checkpoint is complete")
    fresh = wait(lambda: sorted(set(results()) - had), 60, "a new result after the restart", every=0.02)
    say(f"{time.monotonic() - killed:5.2f} s after the kill: new results are committed; one is due each 5 s, whether or not anything is killed")
    say(f"        {fresh[0]}")


def all_read(job, files):
    """Every file was found and read to its end, and a checkpoint says so."""
    splits = source_of(job_state(job)).get("splits")
    return splits and splits["known"] >= files and splits["pending"] == 0 and splits["handed-out"] == 0


def run():
    title(3, "A cluster: one JobManager and two TaskManagers, each a process of its own")
    Cluster(cluster.folder).stop()  # That of an earlier run.
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    began = time.monotonic()
    cluster.start(taskmanagers=2, slots=2)
    for name, pid in cluster.processes().items():
        say(f"{name:14} pid {pid}")
    say(f"up after {time.monotonic() - began:.2f} s; REST API: {cluster.url}")

    title(4, f"Stock ticks, {options.rate:,} a second, and a job that keeps the highest prices")
    say(f"ticks are made from {example}/ticks.template.json into {shown(ticks)}")
    start_generator()
    script = script_with_paths()
    began = time.monotonic()
    job = cluster.submit(script)
    wait(lambda: job_state(job)["state"] == "RUNNING", 30, "the job to run", every=0.02)
    say(f"job {job} runs {time.monotonic() - began:.2f} s after submit ({shown(script)})")
    watch(job, 12)
    wait(results, 60, "the first results")
    say("The first results, as committed: window from, to, ticker, highest price, ticks")
    for line in results()[:5]:
        say(f"    {line}")

    title(5, "kill -9 of one TaskManager, in the middle of it")
    kill_one(job)
    watch(job, 8)

    title(6, "The end: no more ticks; stop --drain closes the last windows and commits them")
    stop_generator()
    if generator.returncode:
        raise Failure(f"the generator ended with {generator.returncode}; see {shown(os.path.join(work, 'datagen.log'))}")
    files = sum(1 for _ in naive.visible_files(ticks))
    wait(lambda: all_read(job, files), 60, f"all {files} files of ticks to be read")
    say(f"all {files} files are read")
    for line in cluster.client("stop", job, "--drain").strip().splitlines():
        say(line)
    wait(lambda: job_state(job)["state"] == "FINISHED", 30, "the job to finish")

    title(7, "Proof: the same question, answered by scripts/lib/naive.py from the same files")
    holds, words = naive.compare(ticks, highest)
    for line in words:
        say(line)
    if not holds:
        raise Failure("the committed output is not what the ticks should give")
    say("No tick was lost, none was counted twice, although a TaskManager was killed. The proof holds.")
    return job


def ending(job):
    print("\n== Where things are")
    say(f"results      {shown(highest)}")
    say(f"ticks        {shown(ticks)}")
    say(f"logs         {shown(os.path.join(cluster.folder, 'log'))}")
    say(f"checkpoints  {shown(os.path.join(cluster.folder, 'checkpoints'))}")
    if options.keep:
        binary = shown(swiftwater)
        print(f"\n== The cluster still runs, with its REST API at {cluster.url}")
        say(f"its jobs     {binary} list --all --jobmanager {cluster.url}")
        say(f"this job     {binary} info {job} --jobmanager {cluster.url}")
        say(f"again        {binary} submit --detached {shown(os.path.join(work, 'highest-price.sql'))} --jobmanager {cluster.url}")
        say(f"stop it      scripts/local-cluster stop --dir {shown(cluster.folder)}")
    else:
        cluster.stop()
        say("cluster      stopped")


try:
    ending(run())
except KeyboardInterrupt:
    print("\ndemo: interrupted; the generator and the cluster are stopped", file=sys.stderr)
    stop_generator()
    cluster.stop()
    sys.exit(130)
except Failure as failure:
    stop_generator()
    sys.stdout.flush()
    print(f"\ndemo: FAILED: {failure}\n{cluster.log_tails()}\n\nEverything is still in {shown(work)}; the cluster is stopped.", file=sys.stderr)
    cluster.stop()
    sys.exit(1)
