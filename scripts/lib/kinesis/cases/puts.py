"""Putting records: where they go, their numbers, their sizes."""
import hashlib
import time

from ..client import HASH_KEYS, check, numbers, refused, shard_id
from .registry import INVALID, case


@case
def a_record_goes_where_the_md5_of_its_key_says(kinesis):
    name = kinesis.stream(4)
    shards = kinesis.shards(name)
    for key in ("a", "bb", "grüße", "1234567", "zz-9"):
        value = int(hashlib.md5(key.encode()).hexdigest(), 16)
        due = next(each["ShardId"] for each in shards if int(each["HashKeyRange"]["StartingHashKey"]) <= value <= int(each["HashKeyRange"]["EndingHashKey"]))
        found = kinesis.put(name, b"x", key)["ShardId"]
        check(found == due, f"{key} goes to {found} instead of {due}")


@case
def an_explicit_hash_key_beats_the_key(kinesis):
    name = kinesis.stream(2)
    check(kinesis.put(name, b"x", ExplicitHashKey="0")["ShardId"] == shard_id(0), "0 is not in the first")
    check(kinesis.put(name, b"x", ExplicitHashKey=str(HASH_KEYS // 2))["ShardId"] == shard_id(1), "2^127 is not in the second")


@case
def hash_keys_end_below_two_to_the_128(kinesis):
    name = kinesis.stream(2)
    check(kinesis.put(name, b"x", ExplicitHashKey=str(HASH_KEYS - 1))["ShardId"] == shard_id(1), "2^128-1 is not in the last")
    refused(INVALID, kinesis.put, name, b"x", ExplicitHashKey=str(HASH_KEYS))


@case
def sequence_numbers_rise_in_a_shard(kinesis):
    name = kinesis.stream(1)
    put = [int(kinesis.put(name, b"x")["SequenceNumber"]) for _ in range(5)]
    check(put == sorted(set(put)), put)
    check(numbers(kinesis.read(name)["Records"]) == put, "they are read in another order")


@case
def sequence_numbers_are_unique_in_a_stream(kinesis):
    name = kinesis.stream(2)
    put = [kinesis.put(name, b"x", ExplicitHashKey=key)["SequenceNumber"] for key in ("0", str(HASH_KEYS // 2)) * 3]
    check(len(set(put)) == 6, put)


@case
def sequence_numbers_have_56_digits(kinesis):
    number = kinesis.put(kinesis.stream(1), b"x")["SequenceNumber"]
    check(len(number) == 56 and number.isdigit(), f"{len(number)} digits")


@case
def order_is_kept_with_sequence_number_for_ordering(kinesis):
    name = kinesis.stream(1)
    first = kinesis.put(name, b"1")["SequenceNumber"]
    second = kinesis.put(name, b"2", SequenceNumberForOrdering=first)["SequenceNumber"]
    check(int(second) > int(first), f"{second} is not above {first}")


@case
def a_batch_is_answered_in_its_order(kinesis):
    name = kinesis.stream(2)
    batch = [{"Data": str(index).encode(), "PartitionKey": f"key-{index}"} for index in range(20)]
    answer = kinesis.boto.put_records(StreamName=name, Records=batch)
    check(answer["FailedRecordCount"] == 0 and len(answer["Records"]) == 20, answer)
    read = {record["SequenceNumber"]: record["Data"] for index in range(2) for record in kinesis.everything(name, index)[0]}
    check([read.get(each["SequenceNumber"]) for each in answer["Records"]] == [each["Data"] for each in batch], "an answer belongs to another record")


@case
def bytes_and_keys_come_back_as_they_were(kinesis):
    name, data, key = kinesis.stream(1), bytes(range(256)) + b"\r\n", 'grüße "\\ \u4e16\U0001f600'
    kinesis.put(name, data, key)
    before = time.time()
    record = kinesis.read(name)["Records"][0]
    check(record["Data"] == data and record["PartitionKey"] == key, record)
    check(abs(record["ApproximateArrivalTimestamp"].timestamp() - before) < 5, record["ApproximateArrivalTimestamp"])


@case
def at_most_500_records_are_put_at_once(kinesis):
    name = kinesis.stream(1)
    batch = [{"Data": b"x", "PartitionKey": "k"}] * 501
    refused(INVALID, kinesis.boto.put_records, StreamName=name, Records=batch)
    check(kinesis.boto.put_records(StreamName=name, Records=batch[:500])["FailedRecordCount"] == 0, "500 are refused")


@case
def a_record_has_at_most_one_mebibyte(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x" * ((1 << 20) - 1))
    refused(INVALID, kinesis.put, name, b"x" * ((1 << 20) + 1))


@case
def the_key_counts_as_part_of_a_record(kinesis):
    refused(INVALID, kinesis.put, kinesis.stream(1), b"x" * (1 << 20), "key")


@case
def a_batch_has_at_most_ten_mebibytes(kinesis):
    """The reference says 10 MiB a call; it said 5 MiB for years."""
    batch = [{"Data": b"x" * 1_000_000, "PartitionKey": "k"}] * 11
    refused(INVALID, kinesis.boto.put_records, StreamName=kinesis.stream(1), Records=batch)


@case
def an_empty_record_is_a_record(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"")
    check(kinesis.data(name) == [b""], "it is not read")


@case
def a_key_has_1_to_256_characters(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x", "ü" * 256)
    refused(INVALID, kinesis.put, name, b"x", "k" * 257)
