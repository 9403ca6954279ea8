"""Throttled shards."""
from ..client import check, refused, shard_id
from .registry import story


@story("--limits", "--clock", "@1700000000")
def a_shard_is_read_five_times_a_second(kinesis):
    name = kinesis.stream(2)
    iterator = kinesis.iterator(name)
    for _ in range(5):
        iterator = kinesis.boto.get_records(ShardIterator=iterator)["NextShardIterator"]
    words = refused("ProvisionedThroughputExceededException", kinesis.boto.get_records, ShardIterator=iterator)
    check(f"Rate exceeded for shard {shard_id(0)} in stream {name} under account" in words, words)
    kinesis.read(name, 1)
    kinesis.control("clock", advance=1)
    kinesis.boto.get_records(ShardIterator=iterator)


@story("--clock", "@1700000000")
def ten_megabytes_block_a_shard_for_five_seconds(kinesis):
    name = kinesis.stream(1)
    for _ in range(10):
        kinesis.put(name, b"x" * 1_000_000)
    kinesis.control("limits", on=True)
    iterator = kinesis.read(name)["NextShardIterator"]
    kinesis.control("clock", advance=4)
    refused("ProvisionedThroughputExceededException", kinesis.boto.get_records, ShardIterator=iterator)
    kinesis.control("clock", advance=1)
    kinesis.boto.get_records(ShardIterator=iterator)


@story("--limits", "--clock", "@1700000000")
def a_shard_takes_a_thousand_records_a_second_and_the_rest_fail_alone(kinesis):
    name = kinesis.stream(1)
    batch = [{"Data": b"x", "PartitionKey": "k"}] * 400
    answers = [kinesis.boto.put_records(StreamName=name, Records=batch) for _ in range(3)]
    check([each["FailedRecordCount"] for each in answers] == [0, 0, 200], [each["FailedRecordCount"] for each in answers])
    failed = answers[2]["Records"][-1]
    check(failed["ErrorCode"] == "ProvisionedThroughputExceededException" and "SequenceNumber" not in failed, failed)
    check(failed["ErrorMessage"].startswith("Rate exceeded for shard"), failed)
    refused("ProvisionedThroughputExceededException", kinesis.put, name, b"x")
    kinesis.control("clock", advance=1)
    check(len(kinesis.everything(name)[0]) == 1000, "not a thousand records")


@story("--limits", "--clock", "@1700000000")
def a_shard_takes_a_mebibyte_a_second(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x" * 900_000)
    refused("ProvisionedThroughputExceededException", kinesis.put, name, b"x" * 900_000)
    kinesis.control("clock", advance=1)
    kinesis.put(name, b"x" * 900_000)
