"""A stream: its shards over time, and who gets which hash key."""
import bisect

from .errors import invalid, not_found
from .shard import Shard

HASH_KEYS = 1 << 128
DAY = 24 * 3600 * 1000


class Stream:
    def __init__(self, name, account, region, count, created, epoch, mode="PROVISIONED", record_kib=1024):
        self.name, self.account, self.region = name, account, region
        self.arn = f"arn:aws:kinesis:{region}:{account}:stream/{name}"
        self.created, self.epoch = created, epoch
        self.status, self.mode, self.record_kib = "ACTIVE", mode, record_kib
        self.retention_hours, self.encryption_key = 24, None
        self.tags, self.monitoring, self.consumers = {}, [], {}
        self.horizon = created           # nothing older is kept
        self.shards = []                 # by index, for ever
        bounds = [HASH_KEYS * index // count for index in range(count)] + [HASH_KEYS]
        for lowest, following in zip(bounds, bounds[1:]):
            self._add(lowest, following - 1, created)
        self._route()

    # Shards

    def _add(self, lowest, highest, now, parents=()):
        shard = Shard(self, len(self.shards), lowest, highest, now, parents)
        self.shards.append(shard)
        for parent in parents:
            parent.close(now)
            parent.children.append(shard)
        return shard

    def _route(self):
        self.open = sorted((shard for shard in self.shards if shard.closed is None), key=lambda shard: shard.lowest)
        self._lowest = [shard.lowest for shard in self.open]

    def shard_of(self, hash_key):
        return self.open[bisect.bisect_right(self._lowest, hash_key) - 1]

    def shard(self, identifier):
        """The service also takes ids without "shardId-" and leading zeros."""
        digits = identifier.rsplit("-", 1)[-1]
        if not digits.isdigit():
            raise not_found(f"Could not find shard {identifier} in stream {self.name} under account {self.account}.")
        index = int(digits)
        if index >= len(self.shards) or self.has_expired(self.shards[index]):
            raise not_found(f"Shard shardId-{index:012d} in stream {self.name} under account {self.account} does not exist")
        return self.shards[index]

    def split(self, shard, at, now):
        children = [self._add(shard.lowest, at - 1, now, [shard]), self._add(at, shard.highest, now, [shard])]
        self._route()
        shard.changed()
        return children

    def merge(self, shard, adjacent, now):
        child = self._add(min(shard.lowest, adjacent.lowest), max(shard.highest, adjacent.highest), now, [shard, adjacent])
        self._route()
        shard.changed()
        adjacent.changed()
        return child

    def scale(self, target, now):
        """Cuts at every new border, then merges what lies between two: short-lived shards may come and go, as documented."""
        bounds = [HASH_KEYS * index // target for index in range(target)] + [HASH_KEYS]
        for border in bounds[1:-1]:
            shard = self.shard_of(border)
            if shard.lowest != border:
                self.split(shard, border, now)
        for lowest, following in zip(bounds, bounds[1:]):
            while self.shard_of(lowest).highest != following - 1:
                shard = self.shard_of(lowest)
                self.merge(shard, self.shard_of(shard.highest + 1), now)

    def require_open(self, shard, operation):
        if shard.closed is not None:
            raise invalid(f"Shard {shard.id} in stream {self.name} under account {self.account} has already been merged or split, "
                          f"and thus is not eligible for merging or splitting.")

    # Retention

    def keep_since(self, time):
        """Forgets what is older than `time`."""
        if time > self.horizon:
            self.horizon = time
            for shard in self.shards:
                shard.trim(time)

    def expire(self, now):
        self.keep_since(now - self.retention_hours * 3600 * 1000)

    def has_expired(self, shard):
        return shard.closed is not None and shard.closed < self.horizon

    def listed(self):
        return [shard for shard in self.shards if not self.has_expired(shard)]

    def filtered(self, kind, identifier, time):
        """ListShards' ShardFilter, as its API reference describes the types."""
        shards = self.listed()
        if kind == "AT_LATEST":
            return [shard for shard in shards if shard.closed is None]
        if kind == "AFTER_SHARD_ID":
            return [shard for shard in shards if shard.id > identifier]
        if kind in ("AT_TRIM_HORIZON", "AT_TIMESTAMP"):
            at = self.horizon if kind == "AT_TRIM_HORIZON" else max(time, self.horizon)
            return [shard for shard in shards if shard.created <= at and (shard.closed is None or shard.closed >= at)]
        if kind == "FROM_TIMESTAMP":
            return [shard for shard in shards if shard.closed is None or shard.closed >= max(time, self.horizon)]
        return shards                                                                     # FROM_TRIM_HORIZON, the default
