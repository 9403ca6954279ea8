"""Runs a command and measures it as the operating system saw it: CPU seconds and peak memory of the whole process tree."""
import os
import resource
import subprocess
import time


def run(command, **options):
    """Returns (exit code, CPU seconds, wall seconds, peak resident MB of the largest process)."""
    start = time.monotonic()
    process = subprocess.Popen(command, **options)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    return process.returncode, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


class Foreign:
    """Cores that other processes burnt between enter and exit: 0 is a quiet machine."""

    def __enter__(self):
        self.before = self.busy(), self.mine(), time.monotonic()
        return self

    def __exit__(self, *_):
        elapsed = time.monotonic() - self.before[2]
        self.cores = max(0.0, (self.busy() - self.before[0] - (self.mine() - self.before[1])) / max(elapsed, 1e-9))

    @staticmethod
    def busy():
        ticks = os.sysconf("SC_CLK_TCK")
        fields = [int(word) for word in open("/proc/stat").readline().split()[1:9]]
        return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6]) / ticks

    @staticmethod
    def mine():
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = resource.getrusage(resource.RUSAGE_SELF)
        return children.ru_utime + children.ru_stime + own.ru_utime + own.ru_stime
