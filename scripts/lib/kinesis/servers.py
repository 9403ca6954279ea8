"""The stand-ins: how each is installed, started and ended."""
import fcntl
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
build = os.path.join(top, ".build")
emulator_script = os.path.join(top, "Tests", "Emulators", "kinesis.py")
CLIENTS = {"boto3": "boto3", "moto": "moto[server]==5.2.1"}       # module: what pip installs
MINISTACK = "ministack==1.5.33"


def environment(name, packages):
    """Makes .build/NAME with these packages, once; answers its python."""
    python = os.path.join(build, name, "bin", "python")
    os.makedirs(build, exist_ok=True)
    with open(os.path.join(build, name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", os.path.join(build, name)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
    return python


def with_clients():
    """Goes on in a Python that has boto3 and moto: this one, or the one in .build/venv, which gets what is missing."""
    missing = [package for module, package in CLIENTS.items() if importlib.util.find_spec(module) is None]
    if importlib.util.find_spec("moto") and not importlib.util.find_spec("flask"):
        missing.append(CLIENTS["moto"])
    if missing:
        if os.path.realpath(sys.prefix) == os.path.realpath(os.path.join(build, "venv")):
            environment("venv", missing)
            importlib.invalidate_caches()
        else:
            python = os.path.join(build, "venv", "bin", "python")
            if not os.path.exists(python):
                environment("venv", CLIENTS.values())
            os.execv(python, [python, *sys.argv])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, url, process):
        self.url, self.process = url, process

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def emulator(*options):
    process = subprocess.Popen([sys.executable, emulator_script, "--port", "0", *options], stdout=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    if not url:
        raise RuntimeError(f"the emulator ended with {process.wait()}")
    return Server(url, process)


def moto():
    port = free_port()
    return _reachable(port, [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], {})


def ministack():
    program = os.path.join(build, "ministack", "bin", "ministack")
    if not os.path.exists(program):
        environment("ministack", [MINISTACK])
    port = free_port()
    return _reachable(port, [program], {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"})


def _reachable(port, command, settings):
    os.makedirs(build, exist_ok=True)
    log = open(os.path.join(build, f"kinesis-{os.path.basename(command[0])}.log"), "w")
    process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **settings}, cwd=build)
    log.close()
    server, deadline = Server(f"http://127.0.0.1:{port}", process), time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(server.url + "/", timeout=2).close()
            return server
        except urllib.error.HTTPError:
            return server
        except OSError:
            time.sleep(0.05)
    server.stop()
    raise RuntimeError(f"{command[0]} does not answer")


started = {"emulator": lambda: emulator("--heartbeat", "0.2"), "moto": moto, "ministack": ministack}
