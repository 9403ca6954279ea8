"""What a job does to its files at this moment: checkpoints triggered, uploaded and published, output committed."""
import ctypes
import os
import re
import select
import struct
import time

libc = ctypes.CDLL(None, use_errno=True)
CREATE, MOVED_TO, MODIFY, IS_FOLDER = 0x100, 0x80, 0x2, 0x40000000


class Watch:
    """Events in order, from inotify: the kernel tells within microseconds, so a kill can follow while the thing is under way.

    Events: ("triggered", n), ("completed", n) from the JobManager's log; ("uploading", n, pid) when a process has begun an object of
    checkpoint n; ("uploaded", n, name); ("head",) when HEAD was replaced; ("pending", part), ("visible", part) of output files.
    """

    def __init__(self, log, checkpoints, output):
        self.descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.folders = {}
        self.log = open(log, "rb")
        self.log.seek(0, os.SEEK_END)
        self.rest = b""
        self.follow(log, "log", MODIFY)
        self.checkpoints = checkpoints
        self.follow(checkpoints, "job", CREATE | MOVED_TO)
        self.follow(output, "output", CREATE | MOVED_TO)
        self.events = []

    def close(self):
        os.close(self.descriptor)
        self.log.close()

    def follow(self, path, what, mask):
        number = libc.inotify_add_watch(self.descriptor, os.fsencode(path), mask)
        if number >= 0:
            self.folders[number] = what
        return number >= 0

    def read(self, seconds=0.0):
        """Events that came, after at most so many seconds of waiting for the first."""
        found = []
        if select.select([self.descriptor], [], [], seconds)[0]:
            data = os.read(self.descriptor, 1 << 16)
            at = 0
            while at < len(data):
                number, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + length].rstrip(b"\0").decode()
                at += 16 + length
                found += self.event(self.folders.get(number), mask, name)
        now = time.time()
        self.events += [(now, event) for event in found]
        return found

    def event(self, what, mask, name):
        if what == "log":
            return self.lines()
        if what == "output":
            if name.startswith(".part-") and mask & CREATE:
                return [("pending", name[1:].removesuffix(".inprogress"))]
            return [("visible", name)] if name.startswith("part-") else []
        if what == "job":
            if mask & IS_FOLDER and name.startswith("chk-"):
                # What was made before the watch is found by looking.
                folder = os.path.join(self.checkpoints, name)
                self.follow(folder, name, CREATE | MOVED_TO)
                names = os.listdir(folder) if os.path.isdir(folder) else []
                return [event for other in names for event in self.object(name, other)]
            return [("head",)] if name == "HEAD" else []
        return self.object(what, name) if what else []

    @staticmethod
    def object(folder, name):
        checkpoint = int(folder.removeprefix("chk-"))
        if name.startswith(".tmp-"):
            return [("uploading", checkpoint, int(name.split("-")[1]))]
        return [("uploaded", checkpoint, name)]

    def lines(self):
        self.rest += self.log.read()
        *whole, self.rest = self.rest.split(b"\n")
        found = []
        for line in whole:
            match = re.search(rb"(Triggering|Completed) (?:check|save)point (\d+) ", line)
            if match:
                found.append(("triggered" if match[1] == b"Triggering" else "completed", int(match[2])))
        return found
