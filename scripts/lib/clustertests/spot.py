"""Planned changes of a running job: notices of EC2, SIGTERM, newcomers, a host that falls silent; and the figures by which others decide on more."""
import os
import signal
import time
import urllib.request

import hosts
import instances
import counting
from cluster import wait

from .harness import Skipped, check, say, story

RATE, KEYS = 5_000, 10_000
REACTIVE = [
    ("scheduler-mode", "reactive"), ("execution.checkpointing.interval", "500 ms"), ("restart-strategy.type", "fixed-delay"),
    ("restart-strategy.fixed-delay.attempts", 100), ("restart-strategy.fixed-delay.delay", "0 s")]


def running_count(place, cluster, settings=REACTIVE):
    count = counting.Count(cluster, place.path("count.sql"), keys=KEYS, rate=RATE, settings=settings)
    count.keeps_up(within=200)
    return count


def each_once(count):
    time.sleep(1)
    count.read()
    words = count.wrong(counting.now() - 1000)
    check(words is None, words)
    restarts = count.cluster.state(count.job)["restarts"]
    check(restarts == 0, f"{restarts} restarts: {count.cluster.root_exception(count.job)}")
    say(f"{len(count.results):,} results, each right and once")


def changes(cluster, number, seconds=30):
    """Those of the layout that have come to their end, when there are so many."""
    wait(lambda: cluster.get("/spot")["layout-changes"] >= number, seconds, f"{number} changes of the layout")
    made = [event for event in cluster.get("/spot")["events"] if event["kind"] == "layout"]
    check(len(made) == number, f"{len(made)} changes of the layout instead of {number}")
    return made


def fleet_of(place, taskmanagers, *settings):
    cluster = place.cluster(taskmanagers=0, slots=1, settings=["taskmanager.spot.interval=1 s", *settings])
    fleet = instances.Fleet(cluster)
    place.started += Ends(fleet)
    names = [fleet.add() for _ in range(taskmanagers)]
    wait(lambda: cluster.get("/overview")["taskmanagers"] == taskmanagers, 30, "every TaskManager")
    return cluster, fleet, names


def Ends(*things):
    """Things with an `end`, as processes that a place ends."""
    class Process:
        def __init__(self, thing):
            self.thing = thing

        def poll(self):
            return None

        def kill(self):
            self.thing.end()

        def communicate(self):
            return None
    return [Process(thing) for thing in things]


@story
def a_spot_notice_moves_the_tasks_away_and_ends_the_process_without_a_restart(place):
    cluster, fleet, names = fleet_of(place, 3)
    count = running_count(place, cluster)
    attempts = count.attempts()
    time.sleep(1)
    fleet.notice(names[0])
    change, = changes(cluster, 1)
    wait(lambda: names[0] not in cluster.processes(), 30, "its process to end")
    say(f"layout {change['layout']} in {change['milliseconds']} ms, {change['key-groups-moved']} of {change['key-groups']} key groups moved, {change['state-bytes-moved']} bytes")
    check(change["state-bytes-moved"] >= change["state-bytes-copied-ahead"] >= 0 and change["state-bytes-moved"] > 0, f"state moved is {change}")
    told = cluster.get(f"/jobs/{change['jid']}/rescales/history")[0]
    check(told["stateBytesMoved"] == change["state-bytes-moved"] and told["keyGroupsMoved"] == change["key-groups-moved"], f"as a rescale it is {told}")
    sums = {entry["id"]: float(entry["value"]) for entry in cluster.get("/jobmanager/metrics?get=stateBytesMoved,numKeyGroupsMoved")}
    check(sums["stateBytesMoved"] >= change["state-bytes-moved"] and sums["numKeyGroupsMoved"] >= change["key-groups-moved"], f"as metrics it is {sums}")
    notice = next(event for event in cluster.get("/spot")["events"] if event["kind"] == "leaving")
    check(notice["taskmanager-id"] == names[0] and "EC2 will terminate" in notice["reason"], f"the notice is told otherwise: {notice}")
    after = count.attempts()
    check(all(name != names[0] for _, _, name in after), "something still runs on it")
    check(all(after[task] == attempt for task, attempt in attempts.items() if task[2] != names[0]), "a task that stayed has another attempt")
    each_once(count)


@story
def three_notices_at_once_are_one_change_of_the_layout(place):
    cluster, fleet, names = fleet_of(place, 6)
    count = running_count(place, cluster)
    pids = cluster.processes()
    for name in names[:3]:
        os.kill(pids[name], signal.SIGTERM)
    change, = changes(cluster, 1)
    check(max(change["parallelism"]) == 3, f"three are left, but the job has {change['parallelism']} subtasks")
    wait(lambda: len(cluster.processes()) == 4, 30, "their processes to end")
    each_once(count)


@story
def a_task_manager_that_joins_is_used_without_a_restart(place):
    cluster = place.cluster(taskmanagers=1, slots=1)
    count = running_count(place, cluster)
    cluster.add()
    change, = changes(cluster, 1, 60)
    check(max(change["parallelism"]) == 2, f"two slots are there, but the job has {change['parallelism']} subtasks")
    count.keeps_up()
    each_once(count)


@story
def a_rebalance_recommendation_empties_a_task_manager_that_stays_until_the_notice(place):
    cluster, fleet, names = fleet_of(place, 3)
    count = running_count(place, cluster)
    time.sleep(2)  # One that stood before the first look would only be noted.
    fleet.metadata[names[0]].recommend_rebalance()
    changes(cluster, 1)
    check(all(name != names[0] for _, _, name in count.attempts()), "something still runs there")
    time.sleep(2)
    check(names[0] in cluster.processes(), "it has ended although nobody takes it")
    fleet.notice(names[0])
    wait(lambda: names[0] not in cluster.processes(), 30, "its process to end after the notice")
    each_once(count)


@story
def a_notice_is_obeyed_where_the_whole_zone_was_recommended_to_leave(place):
    cluster, fleet, names = fleet_of(place, 3)
    fixed = [(key, value) for key, value in REACTIVE if key != "scheduler-mode"] + [("parallelism.default", 3)]
    count = running_count(place, cluster, fixed)
    time.sleep(2)  # One that stood before the first look would only be noted.
    for name in names:
        fleet.metadata[name].recommend_rebalance()
    told = lambda: [event["taskmanager-id"] for event in cluster.get("/spot")["events"] if event["kind"] == "leaving"]
    wait(lambda: set(told()) == set(names), 30, "the recommendations")
    newcomer = fleet.add()
    wait(lambda: cluster.get("/overview")["taskmanagers"] == 4, 30, "another TaskManager")
    fleet.notice(names[0])
    changes(cluster, 1)
    wait(lambda: names[0] not in cluster.processes(), 30, "its process to end")
    held = {name for _, _, name in count.attempts()}
    check(held == {newcomer, *names[1:]}, f"the tasks are on {held}")
    each_once(count)


@story
def on_an_instance_the_metadata_service_is_found_at_its_own_address(place):
    if words := hosts.problem():
        raise Skipped(words)
    network = hosts.Network()
    place.started += Ends(network)
    cluster = place.cluster(taskmanagers=0, slots=1, settings=[f"jobmanager.rpc.address={network.address}", "taskmanager.spot.interval=1 s"])
    services = {}
    for name in ("taskmanager-a", "taskmanager-b"):
        host = network.host()
        host.inside("ip", "address", "add", "169.254.169.254/32", "dev", "lo")
        services[name] = instances.Metadata(host, "169.254.169.254", 80)
        host.process = host.taskmanager(cluster, name)
    wait(lambda: cluster.get("/overview")["taskmanagers"] == 2, 30, "both TaskManagers")
    count = running_count(place, cluster)
    services["taskmanager-a"].notice()
    changes(cluster, 1)
    check(network.hosts[0].process.wait(30) == 0, "its process ended with an error")
    each_once(count)


@story
def a_host_that_falls_silent_costs_one_restart_and_comes_back_as_a_task_manager(place):
    if words := hosts.problem():
        raise Skipped(words)
    network = hosts.Network()
    place.started += Ends(network)
    cluster = place.cluster(taskmanagers=0, slots=1, settings=[f"jobmanager.rpc.address={network.address}"])
    for name in ("taskmanager-a", "taskmanager-b", "taskmanager-c"):
        host = network.host()
        host.process = host.taskmanager(cluster, name)
    wait(lambda: cluster.get("/overview")["taskmanagers"] == 3, 30, "the TaskManagers")
    count = running_count(place, cluster, [(key, value) for key, value in REACTIVE if key != "scheduler-mode"] + [("parallelism.default", 2)])
    silent = next(host for host, name in zip(network.hosts, ("a", "b", "c")) if any(task[2] == "taskmanager-" + name for task in count.attempts()))
    event = counting.now()
    silent.fall_silent()
    wait(lambda: cluster.state(count.job)["restarts"] == 1, 30, "the loss to be noticed")
    count.keeps_up(within=200)
    say(f"the first new result {count.output_gap(event)[1] / 1000:.2f} s after the silence began")
    silent.speak_again()
    wait(lambda: cluster.get("/overview")["taskmanagers"] == 3, 60, "the silent one to register again")
    time.sleep(2)
    count.read()
    words = count.wrong(counting.now() - 1500, replays=1)
    check(words is None, words)
    check(cluster.state(count.job)["restarts"] == 1, f"{cluster.state(count.job)['restarts']} restarts for one silence")


@story
def the_figures_for_scaling_add_up_and_say_how_many_slots_are_needed(place):
    cluster = place.cluster(taskmanagers=2, slots=1, settings=[
        "metrics.reporters=prom", "metrics.reporter.prom.factory.class=org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
        "metrics.reporter.prom.port=0"])
    count = running_count(place, cluster)
    # Reports come every half second, samples every five.
    advice = wait(lambda: (found := cluster.get(f"/jobs/{count.job}/autoscaling?window=20")) and all(
        task["measured"] >= 10 for vertex in found["vertices"] for task in vertex["subtasks"]) and all(
        len(vertex["subtasks"]) == 2 for vertex in found["vertices"]) and found, 60, "two samples of every task", every=0.5)
    for vertex in advice["vertices"]:
        for task in vertex["subtasks"]:
            total = task["busyTimeMsPerSecond"] + task["idleTimeMsPerSecond"] + task["backPressuredTimeMsPerSecond"]
            check(abs(total - 1000) < 1, f"busy, idle and backpressured time are {total} ms of a second")
            check(task["measured"] < 27, f"{task['measured']} s were measured of a window of 20 s")
        check(abs(vertex["numRecordsInPerSecond"] - RATE) < RATE * 0.1, f"{vertex['name']} takes {vertex['numRecordsInPerSecond']} rows a second of {RATE}")
        check(vertex["trueProcessingRate"] > RATE, f"{vertex['name']} could take {vertex['trueProcessingRate']} a second")
    check(advice["desired-parallelism"] == 1, f"so little work needs {advice['desired-parallelism']} slots")
    check(advice["pendingRecords"] < RATE and advice["millisBehindLatest"] < 1000, f"a source that keeps up has a backlog: {advice}")
    busiest = max(vertex["load"] for vertex in advice["vertices"])
    more = cluster.get(f"/jobs/{count.job}/autoscaling?window=20&utilization=0.05")
    check(more["desired-parallelism"] >= busiest / 0.05, f"at 5 % busy it needs {more['desired-parallelism']} slots for a load of {busiest}")
    port = next(line.split(" on port ")[1].strip(" .") for line in cluster.log_text("jobmanager").splitlines() if "PrometheusReporter" in line)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    for name in ("desiredParallelism", "pendingRecords", "vertex_trueProcessingRate", "vertex_busyTimeMsPerSecond", "numLayoutChanges"):
        check(f"flink_jobmanager_job_{name}{{" in text, f"scrapes have no {name}")
    say(f"{advice['parallelism']} subtasks run, {advice['desired-parallelism']} would do; loads {[vertex['load'] for vertex in advice['vertices']]}")
