"""Streams, and the list of their shards."""
import time

from ..client import HASH_KEYS, check, next_second, refused, shard_id
from .registry import INVALID, case


@case
def a_stream_is_created_described_listed_and_deleted(kinesis):
    name = kinesis.stream(3)
    summary = kinesis.summary(name)
    check(summary["StreamARN"].endswith(f":stream/{name}") and summary["OpenShardCount"] == 3 and summary["RetentionPeriodHours"] == 24, summary)
    description = kinesis.boto.describe_stream(StreamName=name)["StreamDescription"]
    check(len(description["Shards"]) == 3 and description["HasMoreShards"] is False, description)
    check(name in [each for page in kinesis.boto.get_paginator("list_streams").paginate() for each in page["StreamNames"]], "it is not listed")
    kinesis.boto.delete_stream(StreamName=name)
    kinesis.boto.get_waiter("stream_not_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 5})


@case
def a_name_is_taken_once(kinesis):
    name = kinesis.stream()
    refused("ResourceInUseException", kinesis.boto.create_stream, StreamName=name, ShardCount=1)


@case
def a_stream_that_is_not_there_is_said_so(kinesis):
    boto, missing = kinesis.boto, "ResourceNotFoundException"
    refused(missing, boto.describe_stream_summary, StreamName="nowhere")
    refused(missing, boto.list_shards, StreamName="nowhere")
    refused(missing, boto.put_record, StreamName="nowhere", Data=b"x", PartitionKey="k")
    refused(missing, boto.get_shard_iterator, StreamName="nowhere", ShardId=shard_id(0), ShardIteratorType="LATEST")


@case
def the_hash_keys_are_divided_without_gaps(kinesis):
    ranges = [(int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"])) for shard in kinesis.shards(kinesis.stream(3))]
    check(ranges[0][0] == 0 and ranges[-1][1] == HASH_KEYS - 1 and all(one[1] + 1 == other[0] for one, other in zip(ranges, ranges[1:])), ranges)


@case
def an_on_demand_stream_begins_with_four_shards(kinesis):
    name = kinesis.stream(None, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    check(len(kinesis.shards(name)) == 4, f"{len(kinesis.shards(name))} shards")


@case
def a_stream_is_also_named_by_its_arn(kinesis):
    name = kinesis.stream()
    arn = kinesis.summary(name)["StreamARN"]
    kinesis.boto.put_record(StreamARN=arn, Data=b"x", PartitionKey="k")
    check(len(kinesis.boto.list_shards(StreamARN=arn)["Shards"]) == 1, "its shard is not listed")


@case
def retention_is_lengthened_and_shortened(kinesis):
    name = kinesis.stream()
    kinesis.boto.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    check(kinesis.summary(name)["RetentionPeriodHours"] == 48, "not 48 hours")
    kinesis.boto.decrease_stream_retention_period(StreamName=name, RetentionPeriodHours=24)
    refused(INVALID, kinesis.boto.decrease_stream_retention_period, StreamName=name, RetentionPeriodHours=23)


@case
def streams_are_listed_in_pages(kinesis):
    ours = [kinesis.stream() for _ in range(3)]
    found = kinesis.boto.list_streams(Limit=2)["StreamNames"]
    while (page := kinesis.boto.list_streams(Limit=2, ExclusiveStartStreamName=found[-1]))["StreamNames"]:
        check(len(page["StreamNames"]) == 2 or not page["HasMoreStreams"], page)
        found += page["StreamNames"]
    check(set(ours) <= set(found) and len(found) == len(set(found)), found)


@case
def streams_are_listed_on_by_token(kinesis):
    ours = [kinesis.stream() for _ in range(3)]
    found = [name for page in kinesis.boto.get_paginator("list_streams").paginate(Limit=2) for name in page["StreamNames"]]
    check(set(ours) <= set(found), f"only {len(found)} names")


@case
def tags_are_kept(kinesis):
    name = kinesis.stream()
    kinesis.boto.add_tags_to_stream(StreamName=name, Tags={"a": "1", "b": "2"})
    kinesis.boto.remove_tags_from_stream(StreamName=name, TagKeys=["a"])
    check(kinesis.boto.list_tags_for_stream(StreamName=name)["Tags"] == [{"Key": "b", "Value": "2"}], "not just b")


@case
def limits_are_told(kinesis):
    limits = kinesis.boto.describe_limits()
    check(limits["ShardLimit"] > 0 and limits["OpenShardCount"] >= 0, limits)


@case
def shards_are_listed_in_pages(kinesis):
    name = kinesis.stream(5)
    first = kinesis.boto.list_shards(StreamName=name, MaxResults=2)
    second = kinesis.boto.list_shards(NextToken=first["NextToken"], MaxResults=10)
    found = [each["ShardId"] for each in first["Shards"] + second["Shards"]]
    check(found == [shard_id(index) for index in range(5)] and "NextToken" not in second, found)


@case
def shards_are_listed_after_one(kinesis):
    name = kinesis.stream(3)
    check([each["ShardId"] for each in kinesis.shards(name, ExclusiveStartShardId=shard_id(0))] == [shard_id(1), shard_id(2)], "not the two behind the first")


@case
def a_next_token_stands_alone(kinesis):
    name = kinesis.stream(3)
    token = kinesis.boto.list_shards(StreamName=name, MaxResults=1)["NextToken"]
    refused(INVALID, kinesis.boto.list_shards, StreamName=name, NextToken=token)
    refused((*INVALID, "ExpiredNextTokenException"), kinesis.boto.list_shards, NextToken="bm90IGEgdG9rZW4=")


@case
def the_filter_after_shard_id_lists_later_shards(kinesis):
    name = kinesis.stream(3)
    found = kinesis.shards(name, ShardFilter={"Type": "AFTER_SHARD_ID", "ShardId": shard_id(0)})
    check([each["ShardId"] for each in found] == [shard_id(1), shard_id(2)], [each["ShardId"] for each in found])


@case
def the_filter_at_latest_lists_open_shards(kinesis):
    name = kinesis.stream(1)
    kinesis.split(name)
    found = kinesis.shards(name, ShardFilter={"Type": "AT_LATEST"})
    check([each["ShardId"] for each in found] == [shard_id(1), shard_id(2)], [each["ShardId"] for each in found])


@case
def the_filter_at_trim_horizon_lists_what_was_open_then(kinesis):
    name = kinesis.stream(1)
    time.sleep(0.01)
    kinesis.split(name)
    found = kinesis.shards(name, ShardFilter={"Type": "AT_TRIM_HORIZON"})
    check([each["ShardId"] for each in found] == [shard_id(0)], [each["ShardId"] for each in found])


@case
def the_filter_from_timestamp_leaves_out_what_was_closed_before(kinesis):
    name = kinesis.stream(1)
    kinesis.split(name)
    found = kinesis.shards(name, ShardFilter={"Type": "FROM_TIMESTAMP", "Timestamp": next_second()})
    check([each["ShardId"] for each in found] == [shard_id(1), shard_id(2)], [each["ShardId"] for each in found])
