"""KPL aggregation: many user records in one Kinesis record, as Amazon's producer library writes them.

`F3 89 9A C2`, a protobuf message (proto2), its MD5 (16 bytes):
    AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2; repeated Record records = 3; }
    Record { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2; required bytes data = 3; repeated Tag tags = 4; }
    Tag { required string key = 1; optional string value = 2; }
Source: "KPL Aggregated Record Format" (aggregation-format.md of the Kinesis Producer Library).
"""
import hashlib
from dataclasses import dataclass, field

MAGIC = b"\xf3\x89\x9a\xc2"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass
class UserRecord:
    data: bytes
    key: str
    explicit_hash_key: str = None
    tags: list = field(default_factory=list)      # (key, value or None)


def aggregate(records):
    """One Kinesis record's data. Keys that occur again are stored once."""
    keys, hash_keys, packed = {}, {}, []
    for record in records:
        message = _number(1, keys.setdefault(record.key, len(keys)))
        if record.explicit_hash_key is not None:
            message += _number(2, hash_keys.setdefault(record.explicit_hash_key, len(hash_keys)))
        message += _bytes(3, record.data)
        for key, value in record.tags:
            message += _bytes(4, _bytes(1, key.encode()) + (b"" if value is None else _bytes(2, value.encode())))
        packed.append(_bytes(3, message))
    message = b"".join([_bytes(1, key.encode()) for key in keys] + [_bytes(2, key.encode()) for key in hash_keys] + packed)
    return MAGIC + message + hashlib.md5(message).digest()


def deaggregate(data):
    """The user records, or None when the data is not an aggregate (then it is one record as it is).

    Amazon's own libraries take data with a wrong checksum or too few bytes for what it is: a record that only begins like one.
    Throws ValueError when the checksum is right but the message is not."""
    if not is_aggregate(data):
        return None
    keys, hash_keys, found = [], [], []
    for number, value in _fields(data[4:-16]):
        if number == 1:
            keys.append(value.decode())
        elif number == 2:
            hash_keys.append(value.decode())
        elif number == 3:
            found.append(value)
    return [_user_record(each, keys, hash_keys) for each in found]


def is_aggregate(data):
    return len(data) >= 20 and data[:4] == MAGIC and hashlib.md5(data[4:-16]).digest() == data[-16:]


def _user_record(message, keys, hash_keys):
    key = hash_key = data = None
    tags = []
    for number, value in _fields(message):
        if number == 1:
            key = value
        elif number == 2:
            hash_key = value
        elif number == 3:
            data = value
        elif number == 4:
            tag = dict(_fields(value))
            tags.append((tag[1].decode(), tag[2].decode() if 2 in tag else None))
    if key is None or data is None or key >= len(keys) or hash_key is not None and hash_key >= len(hash_keys):
        raise ValueError("a record without data, or with a key that is not in the table")
    return UserRecord(data, keys[key], None if hash_key is None else hash_keys[hash_key], tags)


def _varint(value):
    packed = bytearray()
    while value > 0x7F:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    packed.append(value)
    return bytes(packed)


def _number(number, value):
    return _varint(number << 3 | VARINT) + _varint(value)


def _bytes(number, value):
    return _varint(number << 3 | BYTES) + _varint(len(value)) + value


def _read_varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number that does not end")
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def _fields(data):
    """(field number, int or bytes) in order; fixed-size fields, which the format does not use, are passed over."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        if tag & 7 == VARINT:
            value, at = _read_varint(data, at)
            yield tag >> 3, value
            continue
        if tag & 7 == BYTES:
            length, at = _read_varint(data, at)
        elif tag & 7 in (FIXED64, FIXED32):
            length = 8 if tag & 7 == FIXED64 else 4
        else:
            raise ValueError(f"wire type {tag & 7}")
        if at + length > len(data):
            raise ValueError("a field that does not end")
        if tag & 7 == BYTES:
            yield tag >> 3, data[at:at + length]
        at += length
