"""The service's state, and who carries out which operation."""
import time

from . import consumers, records, reshard, streams
from .errors import invalid, not_found
from .iterators import Iterators, Seal
from .validation import SHAPES, check

OPERATIONS = {name: function for module in (streams, records, reshard, consumers) for name, function in vars(module).items() if name in SHAPES}


class Settings:
    """What the command line and the control channel may set. Times in ms."""
    account, region = "123456789012", "us-east-1"
    iterator_ttl = 300_000
    state_delay = 0                    # how long streams and consumers stay CREATING, UPDATING, DELETING
    limits = False                     # whether shards are throttled
    put_mib = 5                        # the most that PutRecords takes in one call
    heartbeat = 1_000                  # an idle subscription gets an empty event this often
    subscription = 300_000             # how long a subscription lasts
    shard_end = "mixed"                # "last-records", "empty", or by the shard's index: how GetRecords tells the end


class Clock:
    """Milliseconds since 1970: the machine's clock moved by `offset`, or one that only moves when told."""

    def __init__(self, offset=0, frozen_at=None):
        self.offset, self.frozen_at = offset, frozen_at

    def now(self):
        return self.frozen_at if self.frozen_at is not None else time.time_ns() // 1_000_000 + self.offset

    def advance(self, milliseconds):
        if self.frozen_at is not None:
            self.frozen_at += milliseconds
        else:
            self.offset += milliseconds


class Service:
    def __init__(self, settings=None, clock=None):
        self.settings, self.clock = settings or Settings(), clock or Clock()
        self.seal = Seal()
        self.iterators = Iterators(self.seal, self.settings.iterator_ttl)
        self.streams = {}
        self.subscriptions = {}        # (consumer ARN, shard id): the running one
        self.pending = []              # [(time, what is due)]
        self.last_epoch = 0
        self.next_expiry = 0

    def now(self):
        return self.clock.now()

    def call(self, operation, request):
        """Answers a dictionary, rendered JSON (str), or a Subscription."""
        self.tick()
        check(operation, request)
        return OPERATIONS[operation](self, request)

    def tick(self):
        """Carries out what is due."""
        now = self.now()
        while self.pending and self.pending[0][0] <= now:
            self.pending.pop(0)[1]()
        if now >= self.next_expiry:
            self.next_expiry = now + 1000
            for stream in self.streams.values():
                stream.expire(now)

    def later(self, action):
        """Carries out `action` after the delay that changes of state take."""
        if not self.settings.state_delay:
            action()
        else:
            self.pending.append((self.now() + self.settings.state_delay, action))
            self.pending.sort(key=lambda entry: entry[0])

    def epoch(self):
        """The second that a new stream's sequence numbers carry; no two streams have the same."""
        self.last_epoch = max(self.now() // 1000, self.last_epoch + 1)
        return self.last_epoch

    def stream(self, request):
        """The stream a request names by StreamName, StreamARN or both."""
        name = request.get("StreamName")
        if name is None:
            arn = request.get("StreamARN")
            if arn is None:
                raise invalid("StreamName or StreamARN must be provided")
            name = arn.split(":stream/", 1)[1].split("/")[0]
        return self.named(name)

    def named(self, name):
        stream = self.streams.get(name)
        if stream is None:
            raise not_found(f"Stream {name} under account {self.settings.account} not found.")
        return stream
