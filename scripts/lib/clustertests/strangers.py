"""Bytes from strangers at the ports between the processes, and a TaskManager that leaves in good order."""
import os
import random
import signal
import socket
import struct

from cluster import lives, wait

from . import ticks
from .harness import check, say, story

CHECKPOINTS = (("execution.checkpointing.interval", "200 ms"),)


def hello(version=2, role=1):
    return b"SWFT" + struct.pack("<HBB", version, role, 0)


def answer(port, data, half_close=False):
    """What comes back to these bytes within a short while."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        received = b""
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            connection.settimeout(0.3)
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError):
            pass
        return received


@story
def bytes_from_strangers_disturb_nothing(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000), place.path("out")
    cluster = place.cluster(taskmanagers=2, slots=1)
    job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=10_000, settings=[*CHECKPOINTS, ("parallelism.default", 2)]))
    wait(lambda: cluster.completed(job) > 0, 30, "the first checkpoint")
    with open(os.path.join(cluster.folder, "ports")) as file:
        rpc = int(dict(line.strip().split("=") for line in file)["rpc"])
    ports = [rpc] + [worker["dataPort"] for worker in cluster.get("/taskmanagers")["taskmanagers"]]
    chance = random.Random(20261122)
    before = cluster.processes()
    for port in ports:
        refusal = answer(port, hello(version=999))
        check(refusal[:4] == b"SWFT" and b"999" in refusal and b"version" in refusal, f"port {port}: version 999 is answered with {refusal!r}")
        check(b"speaks" in answer(port, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"), f"port {port}: HTTP is not refused in words")
        answer(port, b"", half_close=True)
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for _ in range(4):
            answer(port, chance.randbytes(chance.randrange(1, 5_000)))
            # A good greeting, then frames that are none.
            answer(port, hello(role=chance.randrange(4)) + struct.pack("<I", 0xFFFFFFF0) + b"x" * 100)
            answer(port, hello(role=chance.randrange(4)) + struct.pack("<I", 500) + chance.randbytes(500))
            answer(port, hello(role=chance.randrange(4)) + struct.pack("<I", 1 << 20) + chance.randbytes(100), half_close=True)
            answer(port, hello(role=chance.randrange(4)) + b"".join(
                struct.pack("<I", 9) + bytes([kind]) + chance.randbytes(8) for kind in range(32)))
        for connection in held:
            connection.close()
    check(cluster.processes() == before, f"processes {before} became {cluster.processes()}")
    state = cluster.ended(job, 60)
    check(state["state"] == "FINISHED" and state["restarts"] == 0, f"the job is {state['state']} after {state['restarts']} restarts: {cluster.root_exception(job)}")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the job's output: {words}")
    log = cluster.log_text("jobmanager") + cluster.log_text("taskmanager-1")
    for word in ("version 999", "bytes was announced", "refused"):
        check(word in log, f"no log says '{word}'")
    check(len(cluster.get("/taskmanagers")["taskmanagers"]) == 2, "a stranger is registered as a TaskManager")


@story
def a_task_manager_that_is_told_to_end_leaves_in_good_order(place):
    data, output = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000), place.path("out")
    cluster = place.cluster(taskmanagers=2, slots=1)
    job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=10_000, settings=CHECKPOINTS))
    wait(lambda: cluster.completed(job) > 0, 30, "the first checkpoint")
    vertex = cluster.state(job)["vertices"][0]["id"]
    name = cluster.get(f"/jobs/{job}/vertices/{vertex}")["subtasks"][0]["taskmanager-id"]
    pid = cluster.processes()[name]
    os.kill(pid, signal.SIGTERM)
    wait(lambda: not lives(pid), 15, f"{name} to end")
    state = cluster.ended(job, 60)
    check(state["state"] == "FINISHED", f"the job is {state['state']}: {cluster.root_exception(job)}")
    check(state["restarts"] <= 1, f"{state['restarts']} restarts for one leaving TaskManager")
    check(cluster.root_exception(job) is None, f"leaving is no failure, but: {cluster.root_exception(job)}")
    check(f"TaskManager {name} leaves" in cluster.log_text("jobmanager"), "the JobManager was not told")
    words = ticks.difference(data.answer, ticks.committed(output))
    check(words is None, f"the job's output: {words}")
    say(cluster.log_text(name).splitlines()[-1][24:])
