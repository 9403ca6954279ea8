"""One shard: its records in order, and the limits on reading and writing it."""
import bisect
from collections import deque

from . import sequence

MIB = 1 << 20


class Shard:
    """Records have places 1, 2, 3 … in the shard for ever; `first` is the place of the oldest that is kept.

    A position is the place of the next record to read. Times are milliseconds of the service's clock.
    """

    def __init__(self, stream, index, lowest, highest, created, parents=()):
        self.stream, self.index = stream, index
        self.id = f"shardId-{index:012d}"
        self.lowest, self.highest = lowest, highest
        self.created, self.closed = created, None
        self.parents, self.children = tuple(parents), []
        self.shared = sequence.prefix(stream.epoch, index)
        self.starting = str(sequence.number(self.shared, 0, created // 1000))
        self.ending = None
        self.first, self.rendered, self.arrivals, self.sizes = 1, [], [], []
        self.paused = False
        self.waiting = set()          # callbacks of subscriptions: something has changed
        self.reads, self.read_level, self.read_seen, self.read_blocked = deque(), 2 * MIB, 0, 0
        self.write_bytes, self.write_records, self.write_seen = MIB, 1000, 0

    # Writing

    def append(self, data, size, key, now):
        """Adds a record; `data` is base64, `key` JSON. Answers its sequence number."""
        if self.arrivals and now < self.arrivals[-1]:
            now = self.arrivals[-1]
        text = str(sequence.number(self.shared, self.first + len(self.rendered), now // 1000))
        self.rendered.append(f'{{"SequenceNumber":"{text}","ApproximateArrivalTimestamp":{now // 1000}.{now % 1000:03d},'
                             f'"Data":"{data}","PartitionKey":{key}}}')
        self.arrivals.append(now)
        self.sizes.append(size)
        return text

    def close(self, now):
        self.closed = now
        self.ending = str(sequence.number(self.shared, sequence.LAST, now // 1000))

    def changed(self):
        for callback in list(self.waiting):
            callback()

    # Reading

    @property
    def end(self):
        """The position behind the last record."""
        return self.first + len(self.rendered)

    def at_time(self, time):
        """The position of the first record that arrived at `time` or later."""
        return self.first + bisect.bisect_left(self.arrivals, time)

    def at_number(self, parsed, after):
        place = min(parsed.place, self.end)
        if parsed.place < self.end and (after or parsed.is_beyond):
            place += 1
        return max(place, 1)

    def number_at(self, place):
        """The sequence number of a record that is kept."""
        return str(sequence.number(self.shared, place, self.arrivals[place - self.first] // 1000))

    def number_before(self, position):
        """A number that stands for a position: AT it and AFTER it both continue there."""
        place = position - 1
        second = self.arrivals[place - self.first] if self.first <= place < self.end else self.created
        return str(sequence.beyond(self.shared, place, second // 1000))

    def read(self, position, limit, most_bytes):
        """Answers (rendered records, position behind them, their bytes)."""
        start = max(position - self.first, 0)
        stop = min(start + limit, len(self.rendered))
        total, sizes = 0, self.sizes
        for index in range(start, stop):
            total += sizes[index]
            if total > most_bytes and index > start:
                stop, total = index, total - sizes[index]
                break
        return self.rendered[start:stop], self.first + max(stop, start), total

    def millis_behind(self, position, now):
        """0 at the tip; otherwise the age of the last record before the position, or of the next if that is gone."""
        if position >= self.end:
            return 0
        return max(1, now - self.arrivals[max(position - 1 - self.first, 0)])

    def has_ended(self, position):
        return self.closed is not None and position >= self.end

    def trim(self, horizon):
        self.drop_first(bisect.bisect_left(self.arrivals, horizon))

    def drop_first(self, count):
        if count > 0:
            del self.rendered[:count], self.arrivals[:count], self.sizes[:count]
            self.first += count

    # Limits (only asked when they are switched on)

    def may_read(self, now):
        """Five calls a second; 2 MiB a second; a call that took more blocks the shard until that is paid (10 MiB: 5 s)."""
        while self.reads and self.reads[0] <= now - 1000:
            self.reads.popleft()
        self.read_level = min(2 * MIB, self.read_level + (now - self.read_seen) * 2 * MIB // 1000)
        self.read_seen = now
        if len(self.reads) >= 5 or self.read_level <= 0 or now < self.read_blocked:
            return False
        self.reads.append(now)
        return True

    def was_read(self, size, now):
        self.read_level -= size
        if size > 2 * MIB:
            self.read_blocked = now + size * 1000 // (2 * MIB)

    def may_write(self, size, now):
        """1,000 records and 1 MiB a second."""
        passed = now - self.write_seen
        self.write_bytes = min(MIB, self.write_bytes + passed * MIB / 1000)
        self.write_records = min(1000, self.write_records + passed)
        self.write_seen = now
        if self.write_records < 1 or self.write_bytes < size:
            return False
        self.write_records -= 1
        self.write_bytes -= size
        return True

    # Descriptions

    def hash_range(self):
        return {"StartingHashKey": str(self.lowest), "EndingHashKey": str(self.highest)}

    def description(self):
        answer = {"ShardId": self.id, "HashKeyRange": self.hash_range(), "SequenceNumberRange": {"StartingSequenceNumber": self.starting}}
        if self.ending:
            answer["SequenceNumberRange"]["EndingSequenceNumber"] = self.ending
        for name, parent in zip(("ParentShardId", "AdjacentParentShardId"), self.parents):
            answer[name] = parent.id
        return answer

    def child_descriptions(self):
        return [{"ShardId": child.id, "ParentShards": [parent.id for parent in child.parents], "HashKeyRange": child.hash_range()}
                for child in self.children]
