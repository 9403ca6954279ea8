"""Shards over time: ends, trimming, retention, scaling, and writers in the midst of it."""
import threading
import time

from ..client import HASH_KEYS, Kinesis, check, numbers, refused, shard_id
from .registry import story


@story()
def a_shards_end_comes_with_the_last_records_or_after_them(kinesis):
    name = kinesis.stream(2)
    for key in ("0", str(HASH_KEYS // 2)):
        kinesis.put(name, b"x", ExplicitHashKey=key)
    kinesis.merge(name, 0, 1)
    answers = [kinesis.read(name, index) for index in range(2)]
    check([len(each["Records"]) for each in answers] == [1, 1], answers)
    check("NextShardIterator" not in answers[0] and answers[0]["ChildShards"][0]["ParentShards"] == [shard_id(0), shard_id(1)], answers[0])
    check("ChildShards" not in answers[1], answers[1])
    last = kinesis.boto.get_records(ShardIterator=answers[1]["NextShardIterator"])
    check(last["Records"] == [] and "NextShardIterator" not in last and last["ChildShards"][0]["ShardId"] == shard_id(2), last)


@story("--state-delay", "0.3")
def changes_of_a_stream_take_their_time(kinesis):
    kinesis.boto.create_stream(StreamName="slow", ShardCount=1)
    check(kinesis.summary("slow")["StreamStatus"] == "CREATING", "not CREATING")
    refused("ResourceInUseException", kinesis.boto.list_shards, StreamName="slow")
    refused("ResourceNotFoundException", kinesis.put, "slow", b"x")
    kinesis.active("slow")
    kinesis.boto.split_shard(StreamName="slow", ShardToSplit=shard_id(0), NewStartingHashKey=str(HASH_KEYS // 2))
    check(kinesis.summary("slow")["StreamStatus"] == "UPDATING", "not UPDATING")
    refused("ResourceInUseException", kinesis.boto.update_shard_count, StreamName="slow", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    check(kinesis.put("slow", b"x")["ShardId"] == shard_id(0), "a put while UPDATING")
    kinesis.active("slow")
    check(kinesis.put("slow", b"x")["ShardId"] != shard_id(0), "a put after UPDATING")
    kinesis.boto.delete_stream(StreamName="slow")
    check(kinesis.summary("slow")["StreamStatus"] == "DELETING", "not DELETING")


@story()
def trimmed_records_are_passed_over_and_their_shards_expire(kinesis):
    name = kinesis.stream(1)
    number = kinesis.put(name, b"1")["SequenceNumber"]
    iterator = kinesis.iterator(name)
    kinesis.split(name)
    kinesis.put(name, b"2")
    kinesis.control("clock", advance=200)
    kinesis.put(name, b"3")
    kinesis.control("trim", stream=name, before=time.time() + 100)
    check([each["ShardId"] for each in kinesis.shards(name)] == [shard_id(1), shard_id(2)], "the parent is still listed")
    refused("ResourceNotFoundException", kinesis.boto.get_records, ShardIterator=iterator)
    refused("ResourceNotFoundException", kinesis.iterator, name, 0, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number)
    check(sum((kinesis.data(name, index) for index in (1, 2)), []) == [b"3"], "not just the record that is kept")


@story()
def a_position_that_was_trimmed_continues_at_the_oldest_record(kinesis):
    name = kinesis.stream(1)
    number = [kinesis.put(name, str(index).encode())["SequenceNumber"] for index in range(5)][1]
    kinesis.control("trim", stream=name, keep=2)
    check(kinesis.data(name, kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number) == [b"3", b"4"], "not the two that are kept")


@story()
def records_are_kept_for_the_retention_period(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    kinesis.control("clock", advance=23 * 3600)
    check(kinesis.data(name) == [b"x"], "gone after 23 hours")
    kinesis.control("clock", advance=2 * 3600)
    check(kinesis.data(name) == [], "still there after 25 hours")


@story()
def a_scaling_to_any_count_leaves_even_shards_and_complete_lineage(kinesis):
    name = kinesis.stream(4)
    for target in (7, 4, 3, 5):
        kinesis.boto.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        shards = kinesis.shards(name)
        bounds = sorted((int(each["HashKeyRange"]["StartingHashKey"]), int(each["HashKeyRange"]["EndingHashKey"])) for each in shards
                        if "EndingSequenceNumber" not in each["SequenceNumberRange"])
        check(bounds == [(HASH_KEYS * index // target, HASH_KEYS * (index + 1) // target - 1) for index in range(target)], f"{target}: {bounds}")
    known = {each["ShardId"] for each in shards}
    check(all(each.get("ParentShardId", shard_id(0)) in known for each in shards), "a parent is missing")


@story()
def many_writers_and_a_reader_agree_while_shards_split_and_merge(kinesis):
    name, put, lock = kinesis.stream(2), {}, threading.Lock()

    def write(writer):
        own = Kinesis(kinesis.url)
        for index in range(20):
            batch = [{"Data": f"{writer}-{index}-{each}".encode(), "PartitionKey": f"{writer}-{each}"} for each in range(50)]
            answer = own.boto.put_records(StreamName=name, Records=batch)
            with lock:
                put.update({sent["Data"]: (got["ShardId"], int(got["SequenceNumber"])) for sent, got in zip(batch, answer["Records"])})

    writers = [threading.Thread(target=write, args=(index,)) for index in range(3)]
    for writer in writers:
        writer.start()
    for target in (4, 3, 2, 3):
        kinesis.boto.update_shard_count(StreamName=name, TargetShardCount=target, ScalingType="UNIFORM_SCALING")
        time.sleep(0.05)
    for writer in writers:
        writer.join()
    read = {}
    for shard in kinesis.shards(name):
        found, answer = kinesis.everything(name, int(shard["ShardId"][8:]))
        check(numbers(found) == sorted(set(numbers(found))), f"{shard['ShardId']} is not in order")
        check(("EndingSequenceNumber" in shard["SequenceNumberRange"]) == ("ChildShards" in answer), f"{shard['ShardId']}: {answer.get('ChildShards')}")
        lowest, highest = (int(shard["SequenceNumberRange"].get(name, 1 << 200)) for name in ("StartingSequenceNumber", "EndingSequenceNumber"))
        check(all(lowest < number < highest for number in numbers(found)), f"{shard['ShardId']}: a number outside its range")
        read.update({record["Data"]: (shard["ShardId"], int(record["SequenceNumber"])) for record in found})
    check(len(put) == 3000 and read == put, f"{len(read)} read, {len(put)} put")
