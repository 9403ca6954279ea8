"""Registered consumers and SubscribeToShard."""
from ..client import check, refused, shard_id
from .registry import case


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
