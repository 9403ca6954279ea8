"""The aggregator that tests use (kpl.py) against the documented format."""
import hashlib
import random

from .. import kpl
from ..client import check
from .registry import story


@story()
def an_aggregate_has_the_documented_bytes(kinesis):
    # Drawn by hand from aggregation-format.md: two keys, one hash key, three records, one tag.
    message = bytes.fromhex("0a0161" "0a0162" "120137" "1a05" "0800" "1a0131" "1a07" "0801" "1000" "1a0132" "1a0b" "0800" "1a00" "2205" "0a0174" "1200")
    records = [kpl.UserRecord(b"1", "a"), kpl.UserRecord(b"2", "b", "7"), kpl.UserRecord(b"", "a", None, [("t", "")])]
    check(kpl.aggregate(records) == bytes.fromhex("f3899ac2") + message + hashlib.md5(message).digest(), kpl.aggregate(records).hex())
    check(kpl.deaggregate(kpl.aggregate(records)) == records, "it does not come back")


@story()
def records_come_back_from_an_aggregate_through_a_stream(kinesis):
    chance, name = random.Random(5), kinesis.stream(1)
    records = [kpl.UserRecord(chance.randbytes(chance.choice((0, 1, 127, 128, 300, 20_000))), f"key-{chance.randrange(200)}",
                              str(chance.randrange(1 << 128)) if chance.random() < 0.3 else None) for _ in range(100)]
    kinesis.put(name, kpl.aggregate(records), "a")
    check(kpl.deaggregate(kinesis.data(name)[0]) == records, "other records")


@story()
def what_only_begins_like_an_aggregate_is_a_record_as_it_is(kinesis):
    whole = kpl.aggregate([kpl.UserRecord(b"x", "k")])
    for data in (b"", b"x", whole[:4], whole[:19], whole[:-1], whole[:10] + b"!" + whole[11:], whole[1:]):
        check(kpl.deaggregate(data) is None, data.hex())
