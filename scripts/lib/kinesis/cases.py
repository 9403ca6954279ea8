"""What every stand-in is held against: the service's documented behaviour (API reference 2013-12-02), as boto3 sees it.

A case gets a `Kinesis`; its name is its story, and the key of the lists in deviations.py.
"""
import datetime
import hashlib
import time

from .client import HASH_KEYS, check, next_second, numbers, refused, shard_id

cases = []
INVALID = ("InvalidArgumentException", "ValidationException")


def case(function):
    cases.append(function)
    return function


# Streams

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
    for function, options in ((kinesis.boto.describe_stream_summary, {}), (kinesis.boto.list_shards, {}), (kinesis.boto.put_record, {"Data": b"x", "PartitionKey": "k"}),
                              (kinesis.boto.get_shard_iterator, {"ShardId": shard_id(0), "ShardIteratorType": "LATEST"})):
        refused("ResourceNotFoundException", function, StreamName="nowhere", **options)


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


# ListShards

@case
def shards_are_listed_in_pages(kinesis):
    name = kinesis.stream(5)
    first = kinesis.boto.list_shards(StreamName=name, MaxResults=2)
    second = kinesis.boto.list_shards(NextToken=first["NextToken"], MaxResults=10)
    check([each["ShardId"] for each in first["Shards"] + second["Shards"]] == [shard_id(index) for index in range(5)] and "NextToken" not in second, "not all five in order")


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


# Puts

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


# Iterators and reads

@case
def the_five_iterator_types_begin_where_they_say(kinesis):
    name = kinesis.stream(1)
    put = [kinesis.put(name, data)["SequenceNumber"] for data in (b"1", b"2")]
    between = next_second()
    put.append(kinesis.put(name, b"3")["SequenceNumber"])
    latest = kinesis.iterator(name, kind="LATEST")
    check(kinesis.data(name) == [b"1", b"2", b"3"], "TRIM_HORIZON")
    check(kinesis.data(name, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=put[1]) == [b"2", b"3"], "AT_SEQUENCE_NUMBER")
    check(kinesis.data(name, kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=put[1]) == [b"3"], "AFTER_SEQUENCE_NUMBER")
    check(kinesis.data(name, kind="AT_TIMESTAMP", Timestamp=between) == [b"3"], "AT_TIMESTAMP")
    kinesis.put(name, b"4")
    check([record["Data"] for record in kinesis.boto.get_records(ShardIterator=latest)["Records"]] == [b"4"], "LATEST")


@case
def a_read_has_at_most_as_many_records_as_asked(kinesis):
    name = kinesis.stream(1)
    kinesis.boto.put_records(StreamName=name, Records=[{"Data": str(index).encode(), "PartitionKey": "k"} for index in range(10)])
    first = kinesis.boto.get_records(ShardIterator=kinesis.iterator(name), Limit=4)
    second = kinesis.boto.get_records(ShardIterator=first["NextShardIterator"], Limit=10_000)
    check([len(first["Records"]), len(second["Records"])] == [4, 6], [len(first["Records"]), len(second["Records"])])
    check(second["MillisBehindLatest"] == 0, second["MillisBehindLatest"])


@case
def a_read_is_asked_for_at_most_10000_records(kinesis):
    refused(INVALID, kinesis.boto.get_records, ShardIterator=kinesis.iterator(kinesis.stream(1)), Limit=10_001)


@case
def an_iterator_may_be_used_again(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    iterator = kinesis.iterator(name)
    for _ in range(2):
        check(len(kinesis.boto.get_records(ShardIterator=iterator)["Records"]) == 1, "it gives other records the second time")


@case
def an_empty_shard_has_no_records_and_a_next_iterator(kinesis):
    answer = kinesis.read(kinesis.stream(1))
    check(answer["Records"] == [] and answer["NextShardIterator"] and answer["MillisBehindLatest"] == 0, answer)


@case
def a_reader_is_told_how_far_it_is_behind(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"1")
    time.sleep(1.2)
    kinesis.put(name, b"2")
    answer = kinesis.boto.get_records(ShardIterator=kinesis.iterator(name), Limit=1)
    check(answer["MillisBehindLatest"] >= 1000, f"{answer['MillisBehindLatest']} ms instead of a second")


@case
def a_reader_a_few_milliseconds_behind_is_told_so(kinesis):
    name = kinesis.stream(1)
    kinesis.boto.put_records(StreamName=name, Records=[{"Data": b"x", "PartitionKey": "k"}] * 2)
    time.sleep(0.01)
    answer = kinesis.boto.get_records(ShardIterator=kinesis.iterator(name), Limit=1)
    check(answer["MillisBehindLatest"] > 0, "0 means that there is nothing more")


@case
def a_read_has_at_most_ten_megabytes(kinesis):
    name = kinesis.stream(1)
    for _ in range(12):
        kinesis.put(name, b"x" * 1_000_000)
    answer = kinesis.read(name)
    check(8 <= len(answer["Records"]) <= 10, f"{len(answer['Records'])} MB")
    check(len(answer["Records"]) + len(kinesis.boto.get_records(ShardIterator=answer["NextShardIterator"])["Records"]) == 12, "the rest is not in the next read")


@case
def a_wrong_iterator_is_refused(kinesis):
    refused("InvalidArgumentException", kinesis.boto.get_records, ShardIterator="bm9uc2Vuc2U=")


@case
def a_wrong_shard_is_refused(kinesis):
    refused("ResourceNotFoundException", kinesis.iterator, kinesis.stream(1), 7)


@case
def a_sequence_number_must_be_given_for_the_types_that_need_it(kinesis):
    refused(INVALID, kinesis.iterator, kinesis.stream(1), kind="AFTER_SEQUENCE_NUMBER")


@case
def a_sequence_number_must_not_be_given_for_the_others(kinesis):
    name = kinesis.stream(1)
    refused(INVALID, kinesis.iterator, name, kind="LATEST", StartingSequenceNumber=kinesis.put(name, b"x")["SequenceNumber"])


@case
def another_shards_sequence_number_is_refused(kinesis):
    name = kinesis.stream(2)
    number = kinesis.put(name, b"x", ExplicitHashKey="0")["SequenceNumber"]
    refused("InvalidArgumentException", kinesis.iterator, name, 1, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number)


@case
def a_timestamp_must_be_given_for_its_type(kinesis):
    refused(INVALID, kinesis.iterator, kinesis.stream(1), kind="AT_TIMESTAMP")


@case
def a_timestamp_must_not_lie_ahead(kinesis):
    refused(INVALID, kinesis.iterator, kinesis.stream(1), kind="AT_TIMESTAMP", Timestamp=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))


@case
def a_shard_may_be_read_from_its_starting_sequence_number(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    number = kinesis.shards(name)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    check(kinesis.data(name, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number) == [b"x"], "its record is not read")


# Reshards

@case
def a_split_leaves_the_parent_listed_with_an_ending_number(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    kinesis.split(name)
    found = {each["ShardId"]: each for each in kinesis.shards(name)}
    check(sorted(found) == [shard_id(index) for index in range(3)], sorted(found))
    check(found[shard_id(0)]["SequenceNumberRange"].get("EndingSequenceNumber"), "the parent has no EndingSequenceNumber")
    check(all(found[shard_id(index)].get("ParentShardId") == shard_id(0) and "EndingSequenceNumber" not in found[shard_id(index)]["SequenceNumberRange"] for index in (1, 2)),
          found)


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
    refused(INVALID + ("LimitExceededException",), kinesis.boto.update_shard_count, StreamName=kinesis.stream(2), TargetShardCount=5, ScalingType="UNIFORM_SCALING")


# Enhanced fan-out

@case
def consumers_are_registered_described_listed_and_deregistered(kinesis):
    name = kinesis.stream(1)
    arn = kinesis.consumer(name, "one")
    stream = kinesis.summary(name)["StreamARN"]
    check(kinesis.boto.describe_stream_consumer(StreamARN=stream, ConsumerName="one")["ConsumerDescription"]["ConsumerARN"] == arn, "described by name")
    check([each["ConsumerName"] for each in kinesis.boto.list_stream_consumers(StreamARN=stream)["Consumers"]] == ["one"], "listed")
    kinesis.boto.deregister_stream_consumer(ConsumerARN=arn)
    refused("ResourceNotFoundException", kinesis.boto.describe_stream_consumer, ConsumerARN=arn)


@case
def a_consumers_name_is_taken_once(kinesis):
    name = kinesis.stream(1)
    kinesis.consumer(name, "one")
    refused("ResourceInUseException", kinesis.boto.register_stream_consumer, StreamARN=kinesis.summary(name)["StreamARN"], ConsumerName="one")


@case
def a_subscription_pushes_records(kinesis):
    name = kinesis.stream(1)
    number = kinesis.put(name, b"before")["SequenceNumber"]
    events = kinesis.subscribe(kinesis.consumer(name))
    event = next(each["SubscribeToShardEvent"] for each in events if each["SubscribeToShardEvent"]["Records"])
    check([record["Data"] for record in event["Records"]] == [b"before"], event)
    check(int(event["ContinuationSequenceNumber"]) >= int(number) and event["MillisBehindLatest"] >= 0, event)
    events.close()


@case
def a_subscription_ends_at_the_shards_end_with_its_children(kinesis):
    name = kinesis.stream(1)
    consumer = kinesis.consumer(name)
    kinesis.put(name, b"before")
    kinesis.split(name)
    found = [each["SubscribeToShardEvent"] for each in kinesis.subscribe(consumer)]
    check([record["Data"] for each in found for record in each["Records"]] == [b"before"], found)
    check([child["ShardId"] for child in found[-1].get("ChildShards", [])] == [shard_id(1), shard_id(2)], found[-1])


@case
def a_second_subscription_within_five_seconds_is_refused(kinesis):
    name = kinesis.stream(1)
    consumer = kinesis.consumer(name)
    events = kinesis.subscribe(consumer)
    try:
        refused("ResourceInUseException", kinesis.subscribe, consumer)
    finally:
        events.close()
