"""Split, merge, scale: parents, children, ends."""
from ..client import HASH_KEYS, check, refused, shard_id
from .registry import INVALID, case


@case
def a_split_leaves_the_parent_listed_with_an_ending_number(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    kinesis.split(name)
    found = {each["ShardId"]: each for each in kinesis.shards(name)}
    check(sorted(found) == [shard_id(index) for index in range(3)], sorted(found))
    check(found[shard_id(0)]["SequenceNumberRange"].get("EndingSequenceNumber"), "the parent has no EndingSequenceNumber")
    for index in (1, 2):
        child = found[shard_id(index)]
        check(child.get("ParentShardId") == shard_id(0) and "EndingSequenceNumber" not in child["SequenceNumberRange"], child)


@case
def a_merge_names_both_parents(kinesis):
    name = kinesis.stream(2)
    kinesis.merge(name, 0, 1)
    found = {each["ShardId"]: each for each in kinesis.shards(name)}
    check(found[shard_id(2)].get("ParentShardId") == shard_id(0) and found[shard_id(2)].get("AdjacentParentShardId") == shard_id(1), found[shard_id(2)])


@case
def a_parents_records_can_still_be_read(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"before")
    kinesis.split(name)
    check([record["Data"] for record in kinesis.everything(name, 0)[0]] == [b"before"], "the parent's record is gone")


@case
def puts_go_to_the_children_at_once(kinesis):
    name = kinesis.stream(1)
    kinesis.split(name)
    check(kinesis.put(name, b"low", ExplicitHashKey="0")["ShardId"] == shard_id(1), "the low half")
    check(kinesis.put(name, b"high", ExplicitHashKey=str(HASH_KEYS // 2))["ShardId"] == shard_id(2), "the high half")
    check(kinesis.data(name, 1) == [b"low"] and kinesis.data(name, 2) == [b"high"], "a record is not in its child")


@case
def a_closed_shard_ends_and_names_its_children(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    kinesis.split(name)
    _, answer = kinesis.everything(name, 0)
    check(not answer.get("NextShardIterator"), "there is always a next iterator")
    check([each["ShardId"] for each in answer.get("ChildShards", [])] == [shard_id(1), shard_id(2)], answer.get("ChildShards"))


@case
def only_open_adjacent_shards_are_merged(kinesis):
    name = kinesis.stream(3)
    refused("InvalidArgumentException", kinesis.boto.merge_shards, StreamName=name, ShardToMerge=shard_id(0), AdjacentShardToMerge=shard_id(2))


@case
def a_closed_shard_is_not_split_again(kinesis):
    name = kinesis.stream(1)
    kinesis.split(name)
    refused("InvalidArgumentException", kinesis.boto.split_shard, StreamName=name, ShardToSplit=shard_id(0), NewStartingHashKey=str(HASH_KEYS // 4))


@case
def a_shard_is_split_inside_its_range(kinesis):
    name = kinesis.stream(2)
    refused("InvalidArgumentException", kinesis.boto.split_shard, StreamName=name, ShardToSplit=shard_id(0), NewStartingHashKey=str(HASH_KEYS - 5))


@case
def the_shard_count_is_doubled_and_halved_with_parents_kept(kinesis):
    name = kinesis.stream(2)
    kinesis.put(name, b"x", ExplicitHashKey="0")
    answer = kinesis.boto.update_shard_count(StreamName=name, TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    check((answer["CurrentShardCount"], answer["TargetShardCount"]) == (2, 4), answer)
    kinesis.active(name)
    check(kinesis.summary(name)["OpenShardCount"] == 4, "not four open shards")
    kinesis.boto.update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    kinesis.active(name)
    shards = kinesis.shards(name)
    opened = sorted((int(each["HashKeyRange"]["StartingHashKey"]) for each in shards if "EndingSequenceNumber" not in each["SequenceNumberRange"]))
    check(opened == [0, HASH_KEYS // 2], opened)
    check([record["Data"] for record in kinesis.everything(name, 0)[0]] == [b"x"], "a parent's record is gone")


@case
def the_shard_count_is_at_most_doubled(kinesis):
    refused((*INVALID, "LimitExceededException"), kinesis.boto.update_shard_count,
            StreamName=kinesis.stream(2), TargetShardCount=5, ScalingType="UNIFORM_SCALING")
