"""scripts/local-cluster itself: its arguments, and that it loses no process and no log."""
import os
import signal
import subprocess

import cluster as local

from .harness import check, story

script = os.path.join(local.top, "scripts", "local-cluster")


def call(place, *arguments):
    """Exit code and all words; called from the story's folder."""
    result = subprocess.run([script, *arguments], capture_output=True, text=True, cwd=place.folder, timeout=30)
    return result.returncode, result.stdout + result.stderr


@story
def local_cluster_refuses_what_it_cannot_use_and_starts_nothing(place):
    for arguments in (["--taskmanagers", "x"], ["--taskmanagers", "-1"], ["--slots"], ["--slots", "0"], ["-D", "foo"], ["--rest-port", "99999"], ["--dirr", "c"]):
        code, words = call(place, "start", "--dir", "c", *arguments)
        check(code == 2 and arguments[0] in words, f"start {' '.join(arguments)}: exit {code}, {words}")
    check(not os.path.exists(place.path("c")), "something was made")
    for command in ("stop", "status"):
        code, words = call(place, command, "--dir", "c")
        check(code == 1 and f"no cluster runs in {place.path('c')}" in words, f"{command}: exit {code}, {words}")


@story
def local_cluster_forgets_no_process_and_keeps_the_logs_of_a_crash(place):
    cluster = place.cluster(taskmanagers=2, slots=1)
    pids = cluster.processes()
    os.kill(pids["jobmanager"], signal.SIGKILL)
    local.wait(lambda: cluster.script("status").returncode == 1, 5, "status to see that the JobManager is gone")
    refused = cluster.script("start")
    check(refused.returncode == 1 and "taskmanager-1 taskmanager-2" in refused.stderr, f"started beside TaskManagers that live: {refused.stderr}")
    check(cluster.stop().startswith("stopped 2 processes"), "the TaskManagers were not ended")
    cluster.start(1, 1)
    old = [name for name in os.listdir(cluster.folder) if name.startswith("log-")]
    check(len(old) == 1 and os.path.getsize(os.path.join(cluster.folder, old[0], "jobmanager.log")) > 0, f"the logs of the crash are not kept: {old}")


@story
def local_cluster_shows_its_settings_to_nobody_else(place):
    """Also where a start before left a file that others may read."""
    os.makedirs(place.path("cluster-1/conf"))
    file = place.write("cluster-1/conf/config.yaml", "")
    os.chmod(file, 0o644)
    place.cluster(taskmanagers=0, slots=1, settings=("rest.authentication.token=open-sesame",), token="open-sesame")
    with open(file) as text:
        check("open-sesame" in text.read(), "the settings are elsewhere")
    check(os.stat(file).st_mode & 0o777 == 0o600, f"config.yaml may be used by others: {oct(os.stat(file).st_mode)}")
