"""Planned changes on real processes: TaskManagers that leave, join, or both; other parallelisms. Nothing restarts."""
import json
import os
import time
import urllib.request

import cluster as local
from cluster import Failure, wait

from .changes import Application, Job
from .harness import check, client, say, story


@story
def a_task_manager_that_leaves_is_evacuated_without_a_restart(place):
    job = Job(place, taskmanagers=3, parallelism=2)
    before = job.tasks()
    leaver = job.holders()[0]
    stays = {task: place for task, place in before.items() if place[1] != leaver}
    began = time.monotonic()
    [pid] = job.terminate(leaver)
    wait(lambda: not local.lives(pid), 15, f"{leaver} to end")
    took = time.monotonic() - began
    after = job.tasks()
    check(leaver not in job.holders(), f"tasks still on {leaver}: {after}")
    for task, where in stays.items():
        check(after.get(task) == where, f"{task} stayed and was {where}, now it is {after.get(task)}")
    text = job.cluster.log_text(leaver)
    check("no task is left" in text.splitlines()[-1], f"{leaver} left by force: {text.splitlines()[-1]}")
    job.finish()
    check(len(job.changes()) == 1, f"changes: {job.changes()}")
    check("Restoring job" not in job.cluster.log_text("jobmanager"), "something was restored")
    say(f"{leaver} left after {took * 1000:.0f} ms; {len(stays)} tasks stayed with their attempts; {job.positions.seen} checkpoints, no reader went back")


@story
def what_a_change_began_is_as_old_as_it_is_and_busy_from_its_first_report_on(place):
    job = Job(place, taskmanagers=2, parallelism=1)
    cluster = job.cluster
    vertex = cluster.state(job.id)["vertices"][-1]["id"]
    old = cluster.get(f"/jobs/{job.id}/vertices/{vertex}/subtasks/0")["start-time"]
    shares = ("busyTimeMsPerSecond", "idleTimeMsPerSecond", "backPressuredTimeMsPerSecond")
    every = {each["id"]: {"parallelism": {"lowerBound": 1, "upperBound": 2}} for each in cluster.state(job.id)["vertices"]}
    body, began = json.dumps(every).encode(), cluster_time(job)
    urllib.request.urlopen(urllib.request.Request(f"{cluster.url}/jobs/{job.id}/resource-requirements", data=body, method="PUT"), timeout=10).close()
    job.until(2)
    there = f"/jobs/{job.id}/vertices/{vertex}"
    # Its first report, and not the points of the history, which are five seconds apart.
    told = wait(lambda: cluster.get(f"{there}/subtasks/1/metrics?get={','.join(shares)}"), 10, "the first figures of the new subtask")
    told = sum(float(each["value"]) for each in told)
    check(950 <= told <= 1050, f"busy, idle and backpressured of the new subtask are {told} together")
    load = cluster.get(f"{there}/backpressure")["subtasks"][1]
    check(abs(load["ratio"] + load["idleRatio"] + load["busyRatio"] - 1) <= 0.05, f"its load is {load}")
    subtasks = cluster.get(there)["subtasks"]
    new = next(each for each in subtasks if each["subtask"] == 1)
    check(new["start-time"] >= began > old, f"the new subtask began at {new['start-time']}, the change was asked for at {began}, the job began at {old}")
    check(0 <= new["duration"] <= cluster_time(job) - began, f"it runs for {new['duration']} ms")
    for each in cluster.get(f"{there}/subtasktimes")["subtasks"]:
        check(each["timestamps"]["RUNNING"] == subtasks[each["subtask"]]["start-time"], f"other times than the subtask's: {each}")
    job.finish()


def cluster_time(job):
    return job.cluster.state(job.id)["now"]


@story
def a_change_whose_new_owner_dies_before_its_barrier_is_dropped_and_planned_anew(place):
    job = Job(place, taskmanagers=3, parallelism=2)
    before = job.until(2)
    holders = sorted({name for _, name in before.values()})
    leaver = holders[0]
    [spare] = [name for name in job.cluster.processes() if name != "jobmanager" and name not in holders]
    local.freeze(job.cluster.processes()[spare])
    [pid] = job.terminate(leaver)
    wait(job.changes, 10, "a change that would put tasks on a TaskManager that stands still")
    job.cluster.add()
    job.kill(spare)
    wait(lambda: not local.lives(pid), 25, f"{leaver} to end")
    after = job.tasks()
    check(not {leaver, spare} & set(job.holders()), f"tasks on {leaver} or {spare}: {after}")
    for task, where in before.items():
        check(where[1] == leaver or after.get(task) == where, f"{task} stayed and was {where}, now it is {after.get(task)}")
    text = job.cluster.log_text("jobmanager")
    check("does not change to layout" in text, "no change was dropped")
    check("Restoring job" not in text, "something was restored")
    job.finish()
    check(len(job.changes()) >= 2 and job.concluded() == 1, f"changes: {job.changes()}, of which {job.concluded()} came to their end")


@story
def whom_others_cannot_reach_is_left_out_of_an_evacuation(place):
    job = Job(place, taskmanagers=2, parallelism=2, seconds=15)
    with open(os.path.join(job.cluster.folder, "ports")) as file:
        ports = dict(line.strip().split("=", 1) for line in file)
    # Its name comes first, so it is the first to be asked.
    settings = (f"jobmanager.rpc.port={ports['rpc']}", "taskmanager.resource-id=taskmanager-0", "taskmanager.bind-host=127.0.0.1", "taskmanager.host=127.0.0.77")
    place.start(
        "env", f"SWIFTWATER_CONF_DIR={job.cluster.folder}/conf", os.path.join(local.binaries, "taskmanager"), *(word for key in settings for word in ("-D", key)))
    job.cluster.add()
    wait(lambda: job.cluster.get("/overview")["taskmanagers"] == 4, 15, "all TaskManagers")
    leaver = job.holders()[0]
    [pid] = job.terminate(leaver)
    wait(lambda: not local.lives(pid), 25, f"{leaver} to end")
    check(not {leaver, "taskmanager-0"} & set(job.holders()), f"tasks on {leaver} or taskmanager-0: {job.tasks()}")
    check("no data connection to TaskManager taskmanager-0" in job.cluster.log_text("jobmanager"), "nobody tried to reach it")
    job.finish()
    check(len(job.changes()) == 2 and job.concluded() == 1, f"changes: {job.changes()}, of which {job.concluded()} came to their end")


@story
def a_reactive_job_uses_a_task_manager_that_joins(place):
    job = Job(place, taskmanagers=2, reactive=True)
    before = job.until(2)
    job.cluster.add()
    after = job.until(3)
    for task, where in before.items():
        check(after.get(task) == where or task[0] == list(before)[0][0], f"{task} was {where}, now it is {after.get(task)}")
    job.more()
    job.finish()
    check(len(job.changes()) == 1, f"changes: {job.changes()}")


@story
def a_reactive_job_shrinks_when_nobody_has_a_slot(place):
    """Who stays keeps his number: what is told by subtask has a gap."""
    job = Job(place, taskmanagers=3, reactive=True)
    before = job.until(3)
    vertex = list(before)[-1][0]
    [pid] = job.terminate(before[vertex, 0][1])
    wait(lambda: not local.lives(pid), 15, "it to end")
    check(set(job.parallelism()) == {2}, f"parallelism is {job.parallelism()}")
    cluster, there = job.cluster, f"/jobs/{job.id}/vertices/{vertex}"
    check([each["subtask"] for each in cluster.get(there)["subtasks"]] == [1, 2], f"subtasks are {cluster.get(there)['subtasks']}")
    check([each["subtask"] for each in cluster.get(f"{there}/backpressure")["subtasks"]] == [1, 2], "the loads are of other subtasks")
    for number in (1, 2):
        told = cluster.get(f"{there}/subtasks/{number}")
        check((told["subtask"], told["attempt"]) == (number, before[vertex, number][0]), f"subtask {number} is told as {told}")
        check(cluster.get(f"{there}/subtasks/{number}/metrics?get=numRecordsIn"), f"no figures of subtask {number}")
        cluster.get(f"{there}/flamegraph?subtaskindex={number}")
    try:
        cluster.get(f"{there}/subtasks/0")
        check(False, "subtask 0 is still told of")
    except Failure as failure:
        check("answered 404" in str(failure) and "which has 1, 2" in str(failure), str(failure))
    job.finish()


@story
def three_of_six_that_leave_at_once_are_one_change(place):
    job = Job(place, taskmanagers=6, reactive=True, rate=20_000)
    job.until(6)
    pids = job.terminate(*job.holders()[::2])
    for pid in pids:
        wait(lambda: not local.lives(pid), 15, "three TaskManagers to end")
    job.more()
    changes = job.changes()
    check(len(changes) == 1, f"three notices at once are one change, not {changes}")
    check(set(job.parallelism()) == {3}, f"parallelism is {job.parallelism()}")
    job.finish()


@story
def parallelism_up_and_down_in_quick_alternation(place):
    job = Job(place, taskmanagers=2, slots=2, parallelism=1)
    wanted = [4, 1, 3, 2, 4, 1, 2]
    for count in wanted:
        job.cluster.client("rescale", job.id, "--parallelism", str(count))
        time.sleep(0.15)
    job.until(wanted[-1])
    job.more()
    job.finish()
    say(f"{job.concluded()} changes for {len(wanted)} wishes")


@story
def planned_changes_leave_no_connections_behind(place):
    job = Job(place, taskmanagers=3, slots=2, parallelism=2, seconds=25)
    numbers = []
    for count in [6, 3, 5, 2, 4] * 3:
        before = job.concluded()
        job.cluster.client("rescale", job.id, "--parallelism", str(count))
        wait(lambda: job.concluded() > before and set(job.parallelism()) == {count}, 15, f"parallelism {count}")
        numbers.append(sum(sockets(pid) for name, pid in job.cluster.processes().items() if name != "jobmanager"))
    # The same parallelism, one round and two rounds later.
    for first, last in zip(numbers[:5], numbers[10:]):
        check(last <= first + 2, f"the TaskManagers' sockets after each change: {numbers}")
    job.finish()
    say(f"sockets of three TaskManagers after each of {len(numbers)} changes: {numbers}")


@story
def more_slots_than_key_groups_are_left_alone(place):
    job = Job(place, taskmanagers=1, slots=4, reactive=True, settings=[("pipeline.max-parallelism", 4)])
    job.until(4)
    job.cluster.add()
    code, _, error = client("rescale", job.id, "--parallelism", "100", "--jobmanager", job.cluster.url)
    check(code == 2 and "exceeds its maximum parallelism [4]" in error, f"asking for 100 ended with {code}: {error}")
    job.more(5)
    check(set(job.parallelism()) == {4}, f"parallelism is {job.parallelism()} with 4 key groups")
    job.finish()


@story
def rescale_says_what_is_and_who_has_left_is_not_lost(place):
    job = Job(place, taskmanagers=2, parallelism=1)
    at = ("--jobmanager", job.cluster.url)
    code, out, error = client("rescale", job.id, "-p", "1", *at)
    check(code == 0 and "already" in out, f"asking for what is: {code} {out} {error}")
    code, _, error = client("rescale", job.id, "--parallelism", "-1", *at)
    check(code == 2 and "at least 1" in error, f"asking for -1: {code} {error}")
    code, _, error = client("rescale", "0" * 32, "-p", "1", *at)
    check(code == 1, f"an unknown job: {code} {error}")
    [idle] = [name for name in job.cluster.processes() if name != "jobmanager" and name not in job.holders()]
    [pid] = job.terminate(idle)
    wait(lambda: not local.lives(pid), 15, f"{idle} to end")
    wait(lambda: "has left (it was told to end)" in job.cluster.log_text("jobmanager"), 10, "word that it has left")
    told = job.cluster.get("/spot")
    check(told["losses"] == 0 and "Lost TaskManager" not in job.cluster.log_text("jobmanager"), f"who has left counts as lost: {told['events']}")
    client("cancel", job.id, *at)
    code, _, error = client("rescale", job.id, "-p", "1", *at)
    check(code == 1, f"an ended job: {code} {error}")


@story
def a_drained_task_manager_stays_without_tasks(place):
    job = Job(place, taskmanagers=2, parallelism=1)
    [name] = job.holders()
    pid = job.cluster.processes()[name]
    post(job.cluster, f"/taskmanagers/{name}/drain", {"end": False, "reason": "the story says so"})
    wait(lambda: name not in job.holders() and job.concluded() == 1, 15, f"{name} to be empty")
    job.more()
    check(local.lives(pid), f"{name} has ended although it was only drained")
    told = job.cluster.get(f"/taskmanagers/{name}")
    check(told["leaving"] and told["freeSlots"] == told["slotsNumber"], f"{name} is told as {told}")
    post(job.cluster, f"/taskmanagers/{name}/drain", {})
    wait(lambda: not local.lives(pid), 10, f"{name} to end")
    job.finish()


@story
def without_a_free_slot_it_waits_and_takes_a_checkpoint_at_the_last_moment(place):
    job = Job(place, taskmanagers=1, parallelism=1)
    [name] = job.holders()
    pid = job.cluster.processes()[name]
    post(job.cluster, f"/taskmanagers/{name}/drain", {"timeout": 6_000})
    time.sleep(1.5)
    check(job.tasks() is not None and job.holders() == [name], "the job left although there was time")
    wait(lambda: not local.lives(pid), 10, f"{name} to end")
    job.cluster.add()
    job.finish(restarts=1)
    check(job.cluster.root_exception(job.id) is None, f"leaving is no failure, but: {job.cluster.root_exception(job.id)}")


@story
def a_slot_that_comes_in_time_is_moved_to(place):
    job = Job(place, taskmanagers=1, parallelism=1)
    [name] = job.holders()
    [pid] = job.terminate(name)
    time.sleep(1)
    job.cluster.add()
    wait(lambda: not local.lives(pid), 10, f"{name} to end")
    job.finish()


@story
def kills_in_the_middle_of_changes_lose_and_double_nothing(place):
    job = Job(place, taskmanagers=4, parallelism=2, seconds=25)
    for victim in ("the leaver", "one who stays", "one who may begin"):
        wait(lambda: job.tasks() and len(job.cluster.processes()) == 5, 20, "four TaskManagers and every task")
        job.more(2)
        leaver, other = job.holders()[:2]
        idle = sorted(set(job.cluster.processes()) - set(job.holders()) - {"jobmanager"})
        planned = len(job.changes())
        job.terminate(leaver)
        wait(lambda: len(job.changes()) > planned, 10, "the change to be planned", every=0.001)
        names = {"the leaver": [leaver], "one who stays": [other], "one who may begin": idle}[victim]
        for name in names:
            if name in job.cluster.processes():
                job.kill(name)
        wait(lambda: leaver not in job.cluster.processes(), 30, f"{leaver} to end")
        while len(job.cluster.processes()) < 5:
            job.cluster.add()
        say(f"killed {victim} ({', '.join(names)}): {job.cluster.state(job.id)['restarts']} restarts, {job.concluded()} changes came to their end")
    job.finish(restarts=None)


@story
def a_job_manager_killed_in_the_middle_of_a_change_is_followed_by_one_that_goes_on(place):
    app = Application(place, taskmanagers=3, parallelism=2, seconds=20)
    for moment in ("changes to layout", "Triggering checkpoint", "runs layout"):
        app.running()
        [leaver] = app.holders()[:1]
        since = len(app.cluster.log_text("jobmanager"))
        app.terminate(leaver)
        wait(lambda: (at := app.log().find("changes to layout", since)) >= 0 and app.log().find(moment, at) >= 0, 10, f"'{moment}'", every=0.001)
        app.restart_job_manager()
        wait(lambda: leaver not in app.cluster.processes(), 30, f"{leaver} to end")
        while len(app.cluster.processes()) < 4:
            app.cluster.add()
        say(f"the JobManager was killed at '{moment}'")
    app.finish()


def sockets(pid):
    """How many a process has open."""
    folder, count = f"/proc/{pid}/fd", 0
    for name in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, name)).startswith("socket:")
        except OSError:
            pass  # Closed meanwhile.
    return count


def post(cluster, path, body):
    request = urllib.request.Request(cluster.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        check(answer.status == 202, f"POST {path} answered {answer.status}")
