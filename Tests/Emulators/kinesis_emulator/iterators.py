"""Shard iterators and list tokens: opaque, signed by us, and good for a while."""
import base64
import binascii
import hashlib
import hmac
import json
import os
import time

from .errors import ServiceError, invalid


class Seal:
    """Packs values into opaque text and back."""

    def __init__(self):
        self.key = os.urandom(16)
        self.count = 0

    def pack(self, *values):
        self.count += 1
        plain = json.dumps([self.count, *values]).encode()
        return base64.b64encode(b"\0\0\0\0\0\0\0\1" + self._mark(plain) + plain).decode()

    def unpack(self, text):
        """Throws ValueError for what we have not packed."""
        try:
            packed = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ValueError(text) from error
        mark, plain = packed[8:24], packed[24:]
        if packed[:8] != b"\0\0\0\0\0\0\0\1" or not hmac.compare_digest(mark, self._mark(plain)):
            raise ValueError(text)
        return json.loads(plain)[1:]

    def _mark(self, plain):
        return hashlib.blake2b(plain, key=self.key, digest_size=16).digest()


class Iterators:
    """Where a reader stands: stream, shard, position. Expires after `ttl` ms (five minutes in the service)."""

    def __init__(self, seal, ttl):
        self.seal, self.ttl = seal, ttl
        self.generation = 0

    def make(self, shard, position, now):
        return self.seal.pack("iterator", shard.stream.name, shard.stream.epoch, shard.index, position, now, self.generation)

    def read(self, text, now):
        """Answers (stream name, stream epoch, shard index, position)."""
        try:
            kind, name, epoch, index, position, created, generation = self.seal.unpack(text)
        except ValueError:
            raise invalid("Invalid ShardIterator.") from None
        if kind != "iterator":
            raise invalid("Invalid ShardIterator.")
        if generation != self.generation or now - created > self.ttl:
            raise ServiceError("ExpiredIteratorException",
                               f"Iterator expired. The iterator was created at time {words(created)} while right now it is {words(now)} "
                               f"which is further in the future than the tolerated delay of {self.ttl} milliseconds.")
        return name, epoch, index, position

    def expire_all(self):
        self.generation += 1


def words(milliseconds):
    return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(milliseconds / 1000))
