"""Sequence numbers: 56 decimal digits, unique in the account, rising in a shard.

From the top, 187 bits: version (4 bits, 2), second in which the shard's numbering began (36), the shard's lowest
nibble (4), place in the shard (64), flags (8), second of the put (36), shard index (32), version again (4). That is the layout
that public stand-ins have found in the service's own numbers; AWS documents only that they rise. No client may rely on it.
"""

_VERSION = 2
LAST = 0x7FFFFFFFFFFFFFFF        # the place of an ending sequence number
_BEYOND = 0xFF << 72             # behind the record at this place, before the next


def prefix(created, index):
    """The part that all numbers of a shard share. `created` in seconds."""
    return _VERSION << 184 | created << 148 | (index & 15) << 144 | index << 4 | _VERSION


def number(shared, place, second):
    return shared | place << 80 | second << 36


def beyond(shared, place, second):
    """A number between the record at `place` and the next one."""
    return number(shared, place, second) | _BEYOND


class Parsed:
    __slots__ = ("created", "place", "second", "index", "is_beyond")

    def __init__(self, text):
        """Throws ValueError for what cannot be one of our numbers."""
        value = int(text)
        if value >> 184 != _VERSION or value & 15 != _VERSION:
            raise ValueError(text)
        self.created = value >> 148 & 0xFFFFFFFFF
        self.place = value >> 80 & 0xFFFFFFFFFFFFFFFF
        self.is_beyond = bool(value & _BEYOND)
        self.second = value >> 36 & 0xFFFFFFFFF
        self.index = value >> 4 & 0xFFFFFFFF
        if self.place > LAST:
            raise ValueError(text)
