"""Hosts of their own on this machine: network namespaces on one bridge. Needs root, `ip` and `iptables`."""
import os
import subprocess

import cluster as local
from cluster import Failure

number = 0


def problem():
    """Words about why there can be none here; None: there can."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    try:
        run("ip", "netns", "add", "sw-probe")
        run("ip", "netns", "exec", "sw-probe", "iptables", "-L", "-n")
    except (OSError, Failure) as error:
        return f"network namespaces: {error}"
    finally:
        subprocess.run(["ip", "netns", "delete", "sw-probe"], capture_output=True)
    return None


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise Failure(f"{' '.join(command)}: {result.stderr.strip()}")


class Network:
    """A bridge at 10.231.N.1 on this machine, for hosts and for a JobManager beside them."""

    def __init__(self):
        global number
        number += 1
        self.number = (os.getpid() + number) % 250
        self.bridge, self.address = f"swbr{self.number}", f"10.231.{self.number}.1"
        self.hosts = []
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "address", "add", f"{self.address}/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")

    def host(self):
        host = Host(self, len(self.hosts) + 2)
        self.hosts.append(host)
        return host

    def end(self):
        for host in self.hosts:
            host.end()
        subprocess.run(["ip", "link", "delete", self.bridge], capture_output=True)


class Host:
    """A namespace with loopback and one address on the bridge."""

    def __init__(self, network, last):
        self.network = network
        self.name, self.address = f"sw{network.number}-{last}", f"10.231.{network.number}.{last}"
        self.outside = f"swv{network.number}-{last}"
        self.processes = []
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.outside, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.outside, "master", network.bridge, "up")
        self.inside("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "link", "set", "lo", "up")

    def inside(self, *command):
        run("ip", "netns", "exec", self.name, *command)

    def start(self, *command, **options):
        """A process on the host; `ip netns exec` becomes it, so that its number is the process's."""
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *command], **options)
        self.processes.append(process)
        return process

    def taskmanager(self, cluster, name, settings=(), environment=None):
        """A TaskManager of a cluster whose JobManager is reached at the bridge; it prints where scripts look for what TaskManagers print."""
        log = os.path.join(cluster.folder, "log", name)
        with open(os.path.join(cluster.folder, "ports")) as file:
            ports = dict(line.strip().split("=", 1) for line in file)
        settings = (f"jobmanager.rpc.port={ports['rpc']}", f"taskmanager.resource-id={name}", f"taskmanager.host={self.address}", *settings)
        extra = [word for setting in settings for word in ("-D", setting)]
        with open(log + ".out", "w") as out, open(log + ".log", "w") as words:
            return self.start(
                os.path.join(local.binaries, "taskmanager"), *extra, stdout=out, stderr=words, cwd=local.top,
                env={**os.environ, "SWIFTWATER_CONF_DIR": os.path.join(cluster.folder, "conf"), **(environment or {})})

    def fall_silent(self):
        """Nothing comes in and nothing goes out any more, and nobody is told."""
        for chain in ("INPUT", "OUTPUT"):
            self.inside("iptables", "-A", chain, "-j", "DROP")

    def speak_again(self):
        self.inside("iptables", "-F")

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        subprocess.run(["ip", "netns", "delete", self.name], capture_output=True)
        subprocess.run(["ip", "link", "delete", self.outside], capture_output=True)
