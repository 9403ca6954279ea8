"""A local cluster as scripts see it: scripts/local-cluster, the REST API, and the processes' files."""
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
binaries = os.environ.get("SWIFTWATER_BIN", os.path.join(top, ".build", "release"))
swiftwater = os.path.join(binaries, "swiftwater")


class Failure(Exception):
    """Something did not work; the words say what, for people."""


class Cluster:
    """One JobManager and its TaskManagers on this machine, below `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.url = None
        self.token = None

    def script(self, *arguments, environment=None):
        return subprocess.run(
            [os.path.join(top, "scripts", "local-cluster"), *arguments, "--dir", self.folder], capture_output=True, text=True, cwd=top,
            env={**os.environ, **(environment or {})})

    def start(self, taskmanagers, slots, settings=()):
        options = ["--taskmanagers", str(taskmanagers), "--slots", str(slots), "--rest-port", "0", "--rpc-port", "0"]
        for setting in settings:
            options += ["-D", setting]
        result = self.script("start", *options)
        if result.returncode:
            raise Failure(f"the cluster did not start: {(result.stderr or result.stdout).strip()}")
        with open(os.path.join(self.folder, "ports")) as file:
            ports = dict(line.strip().split("=", 1) for line in file)
        self.url = f"http://127.0.0.1:{ports['rest']}"
        wait(lambda: self.get("/overview").get("taskmanagers") == taskmanagers, 30, "every TaskManager to register")

    def stop(self):
        return self.script("stop").stdout.strip()

    def get(self, path):
        try:
            headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Failure(f"GET {path} answered {error.code}: {error.read(500).decode(errors='replace')}")
        except OSError as error:
            raise Failure(f"the JobManager at {self.url} does not answer: {error}")

    def processes(self):
        """{name: pid} of those that live: one that was killed and that nobody has waited for yet does not."""
        found = {}
        folder = os.path.join(self.folder, "pids")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            with open(os.path.join(folder, name)) as file:
                pid = int(file.read())
            if lives(pid):
                found[name.removesuffix(".pid")] = pid
        return found

    def client(self, *arguments, timeout=60):
        """Runs `swiftwater` against this cluster; its standard output."""
        command = [swiftwater, *arguments, "--jobmanager", self.url]
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=top)
        except subprocess.TimeoutExpired:
            raise Failure(f"swiftwater {' '.join(arguments)} did not end within {timeout} s")
        if result.returncode:
            raise Failure(f"swiftwater {' '.join(arguments)} ended with {result.returncode}:\n{(result.stderr or result.stdout).strip()}")
        return result.stdout

    def submit(self, script):
        """The job's id."""
        words = self.client("submit", script, "--detached").split()
        if "JobID" not in words:
            raise Failure(f"swiftwater submit gave no JobID: {' '.join(words)}")
        return words[words.index("JobID") + 1]

    def log_tails(self, lines=12):
        text = []
        folder = os.path.join(self.folder, "log")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            if name.endswith(".log"):
                with open(os.path.join(folder, name), errors="replace") as file:
                    tail = file.read().splitlines()[-lines:]
                text += [f"--- the end of {os.path.join(folder, name)}"] + tail
        return "\n".join(text)


def lives(pid):
    """Not one that has ended and that nobody has waited for yet. While threads of it are left, it may still hold its ports."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            state = file.read().rpartition(")")[2].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def freeze(pid):
    """SIGSTOP, and not before every thread stands still: a busy machine lets them run on for a while."""
    os.kill(pid, signal.SIGSTOP)

    def stands(thread):
        with open(f"/proc/{pid}/task/{thread}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "T"
    wait(lambda: all(stands(thread) for thread in os.listdir(f"/proc/{pid}/task")), 10, f"process {pid} to stand still")


def wait(condition, seconds, what, every=0.05):
    """The first answer of `condition` that is true; a Failure after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s for {what}")
        time.sleep(every)
