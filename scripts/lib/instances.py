"""TaskManagers on pretended Spot instances: each has a metadata service of its own (Tests/Emulators/credentials.py) that can announce its end."""
import json
import os
import subprocess
import sys
import urllib.request

import cluster as local
from cluster import Failure

STUB = os.path.join(local.top, "Tests", "Emulators", "credentials.py")


class Metadata:
    """The service, on a free port of loopback or where it is told to listen."""

    def __init__(self, host=None, address="127.0.0.1", port=0):
        command = [sys.executable, STUB, "--host", address, "--port", str(port)]
        options = dict(stdout=subprocess.PIPE, text=True)
        self.process = host.start(*command, **options) if host else subprocess.Popen(command, **options)
        self.url = self.process.stdout.readline().strip()
        self.host = host
        if not self.url:
            raise Failure("the metadata service did not start")

    def control(self, **words):
        if self.host:
            # From outside the namespace there is no way to a link-local address.
            self.host.inside("curl", "-sSf", "-m", "5", "-d", json.dumps(words), self.url + "/_control")
            return None
        with urllib.request.urlopen(urllib.request.Request(self.url + "/_control", json.dumps(words).encode()), timeout=5) as answer:
            return json.load(answer)

    def notice(self, seconds=120):
        """EC2 will take the instance back in so many seconds."""
        self.control(do="spot", seconds=seconds)

    def recommend_rebalance(self):
        self.control(do="rebalance")

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


class Fleet:
    """Instances of a cluster on this machine; each TaskManager knows only its own metadata service."""

    def __init__(self, cluster):
        self.cluster, self.metadata = cluster, {}

    def add(self):
        """The name of a new TaskManager."""
        metadata = Metadata()
        result = self.cluster.script("add", environment={"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url})
        if result.returncode:
            metadata.end()
            raise Failure(f"no TaskManager could be added: {result.stderr.strip()}")
        name = result.stdout.split()[0]
        self.metadata[name] = metadata
        return name

    def notice(self, name, seconds=120):
        self.metadata[name].notice(seconds)

    def end(self):
        for metadata in self.metadata.values():
            metadata.end()
