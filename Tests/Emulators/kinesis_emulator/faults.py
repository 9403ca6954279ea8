"""Disturbances that a test has asked for."""
import random

from .errors import ServiceError

KINDS = {
    "error": "refused with `code`, `status` and `message`; nothing is done",
    "drop": "the connection closes; nothing is done",
    "lost-answer": "done, then the connection closes without an answer",
    "late-error": "done, then answered with an error (500 unless `code` and `status` say otherwise)",
    "hang": "done, never answered",
    "cut": "done, half of the answer is sent, then the connection closes",
    "delay": "done at once, answered after `seconds`",
    "partial": "PutRecords: the records at `records` (or `percent` of them) fail with `code`",
    "empty": "GetRecords: no records though there are some",
}
STATUS = {"ProvisionedThroughputExceededException": 400, "LimitExceededException": 400, "AccessDeniedException": 400, "ExpiredIteratorException": 400,
          "InternalFailure": 500, "ServiceUnavailable": 503}


class Fault:
    """Applies to `operation` ("*": all), of one stream and shard if named, for the next `times` calls or to `percent` of
    calls (neither: once), not counting the first `after`."""

    def __init__(self, kind, operation="*", times=None, percent=None, stream=None, shard=None, code=None, status=None, message=None,
                 seconds=1.0, records=None, after=0):
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind}: {', '.join(KINDS)}")
        self.kind, self.operations = kind, {operation} if isinstance(operation, str) else set(operation)
        self.times = times if times is not None or percent is not None and kind != "partial" else 1
        self.percent, self.stream, self.shard, self.after = percent, stream, shard, after
        self.code = code or ("ProvisionedThroughputExceededException" if kind == "partial" else "InternalFailure")
        self.status = status or STATUS.get(self.code, 400)
        self.message, self.seconds, self.records = message, seconds, records
        self.fired = 0

    def fires(self, operation, stream, shard, chance):
        if "*" not in self.operations and operation not in self.operations or self.times is not None and self.fired >= self.times:
            return False
        if self.stream and stream != self.stream or self.shard and self.kind != "partial" and shard != self.shard:
            return False
        if self.kind == "partial" and operation != "PutRecords" or self.kind == "empty" and operation != "GetRecords":
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.percent is not None and self.kind != "partial" and chance.random() * 100 >= self.percent:
            return False
        self.fired += 1
        return True

    def error(self):
        words = {500: "Internal service failure.", 503: "Service Unavailable"}.get(self.status, "Rate exceeded")
        return ServiceError(self.code, self.message or words, self.status)

    def refusal(self, chance):
        """For PutRecords: what decides which records fail."""
        def decide(index, shard):
            if self.shard and shard.id != self.shard:
                return None
            if self.records is not None:
                return self.code if index in self.records else None
            return self.code if self.percent is None or chance.random() * 100 < self.percent else None
        return decide


class Faults:
    def __init__(self, seed=1):
        self.chance, self.active = random.Random(seed), []

    def add(self, **words):
        self.active.append(Fault(**words))

    def clear(self):
        self.active.clear()

    def firing(self, operation, stream, shard):
        """The first fault that applies to this call, or None."""
        for fault in self.active:
            if fault.fires(operation, stream, shard, self.chance):
                return fault
        return None
