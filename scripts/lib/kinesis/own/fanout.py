"""Subscriptions."""
import binascii
import json
import struct
import time
import urllib.request
import zlib

import botocore.exceptions

from ..client import check, numbers, refused, shard_id
from .registry import collected, story


@story("--heartbeat", "0.1")
def a_subscription_follows_puts_and_ends_with_a_reshard(kinesis):
    name = kinesis.stream(2)
    consumer = kinesis.consumer(name)
    events = kinesis.subscribe(consumer, 0, "LATEST")
    quiet = collected(events, lambda event: True)[0]
    check(quiet["Records"] == [] and quiet["ContinuationSequenceNumber"] and quiet["MillisBehindLatest"] == 0, quiet)
    number = kinesis.put(name, b"1", ExplicitHashKey="0")["SequenceNumber"]
    event = collected(events, lambda event: event["Records"])[-1]
    check([record["SequenceNumber"] for record in event["Records"]] == [number] and event["ContinuationSequenceNumber"] == number, event)
    kinesis.put(name, b"2", ExplicitHashKey="0")
    kinesis.merge(name, 0, 1)
    rest = collected(events, lambda event: False)
    check([record["Data"] for each in rest for record in each["Records"]] == [b"2"], rest)
    check(rest[-1]["ChildShards"][0]["ParentShards"] == [shard_id(0), shard_id(1)] and "ContinuationSequenceNumber" not in rest[-1], rest[-1])
    kinesis.put(name, b"3", ExplicitHashKey="0")
    events = kinesis.subscribe(consumer, 2)
    check([record["Data"] for record in collected(events, lambda event: event["Records"])[-1]["Records"]] == [b"3"], "the child")
    events.close()


@story("--heartbeat", "0.05")
def a_continuation_number_is_good_for_at_and_after(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"1")
    events = kinesis.subscribe(kinesis.consumer(name), 0, "LATEST")
    number = collected(events, lambda event: True)[0]["ContinuationSequenceNumber"]
    events.close()
    kinesis.put(name, b"2")
    for index, kind in enumerate(("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")):
        events = kinesis.subscribe(kinesis.consumer(name, f"c{index}"), 0, kind, SequenceNumber=number)
        found = collected(events, lambda event: event["Records"])[-1]["Records"]
        check([record["Data"] for record in found] == [b"2"], f"{kind}: {found}")
        events.close()


@story("--heartbeat", "0.1", "--subscription", "300")
def a_subscription_ends_after_five_minutes(kinesis):
    name = kinesis.stream(1)
    events = kinesis.subscribe(kinesis.consumer(name), 0, "LATEST")
    kinesis.control("clock", advance=301)
    check(all("ChildShards" not in event for event in collected(events, lambda event: False)), "it names children")


@story("--heartbeat", "0.1")
def a_second_subscription_takes_over_after_five_seconds(kinesis):
    name = kinesis.stream(1)
    consumer = kinesis.consumer(name)
    first = kinesis.subscribe(consumer, 0, "LATEST")
    refused("ResourceInUseException", kinesis.subscribe, consumer, 0, "LATEST")
    kinesis.control("clock", advance=5)
    second = kinesis.subscribe(consumer, 0, "LATEST")
    try:
        collected(first, lambda event: False)
        check(False, "the first ends without a word")
    except botocore.exceptions.EventStreamError as error:
        check(error.response["Error"]["Code"] == "ResourceInUseException", error)
    check(collected(second, lambda event: True), "the second gets nothing")
    second.close()


@story("--heartbeat", "0.1")
def a_subscription_fails_when_its_consumer_goes(kinesis):
    name = kinesis.stream(1)
    consumer = kinesis.consumer(name)
    events = kinesis.subscribe(consumer, 0, "LATEST")
    kinesis.boto.deregister_stream_consumer(ConsumerARN=consumer)
    try:
        collected(events, lambda event: False)
        check(False, "it ends without a word")
    except botocore.exceptions.EventStreamError as error:
        check(error.response["Error"]["Code"] == "ResourceNotFoundException", error)
    refused("ResourceNotFoundException", kinesis.subscribe, consumer)


@story("--heartbeat", "0.1")
def subscriptions_are_cut_on_request(kinesis):
    name = kinesis.stream(1)
    events = kinesis.subscribe(kinesis.consumer(name), 0, "LATEST")
    collected(events, lambda event: True)
    kinesis.control("end-subscriptions", abruptly=True)
    try:
        collected(events, lambda event: False)
    except Exception as error:                                     # botocore lets urllib3's own error through
        check(type(error).__name__ in ("ProtocolError", "ResponseStreamingError", "ConnectionClosedError"), repr(error))
        return
    check(False, "it ends in order")


@story("--heartbeat", "0.05")
def a_subscription_whose_reader_has_left_is_forgotten(kinesis):
    name = kinesis.stream(1)
    events = kinesis.subscribe(kinesis.consumer(name), 0, "LATEST")
    collected(events, lambda event: True)
    events.close()
    deadline = time.monotonic() + 5
    while kinesis.state()["subscriptions"]:
        check(time.monotonic() < deadline, "it goes on")
        time.sleep(0.02)


@story("--heartbeat", "0.1")
def many_records_reach_a_subscription_in_order(kinesis):
    name = kinesis.stream(1)
    put = []
    for _ in range(10):
        put += numbers(kinesis.boto.put_records(StreamName=name, Records=[{"Data": b"x" * 200, "PartitionKey": "k"}] * 500)["Records"])
    found, events = [], kinesis.subscribe(kinesis.consumer(name))
    for each in events:
        found += numbers(each["SubscribeToShardEvent"]["Records"])
        if len(found) >= len(put):
            break
    events.close()
    check(found == put, f"{len(found)} of {len(put)}")


@story()
def frames_have_right_checksums(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    consumer = kinesis.consumer(name)
    kinesis.split(name)
    body = json.dumps({"ConsumerARN": consumer, "ShardId": shard_id(0), "StartingPosition": {"Type": "TRIM_HORIZON"}}).encode()
    request = urllib.request.Request(kinesis.url, body,
                                     {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.SubscribeToShard"})
    with urllib.request.urlopen(request) as answer:
        check(answer.headers["Content-Type"] == "application/vnd.amazon.eventstream", answer.headers["Content-Type"])
        rest, kinds = answer.read(), []
    while rest:
        total, of_headers, mark = struct.unpack("!III", rest[:12])
        check(zlib.crc32(rest[:8]) == mark, "the prelude's checksum")
        check(struct.unpack("!I", rest[total - 4:total])[0] == binascii.crc32(rest[:total - 4]), "the frame's checksum")
        headers, rest = rest[12:12 + of_headers], rest[total:]
        named = {}
        while headers:
            length = headers[0]
            size = struct.unpack("!H", headers[length + 2:length + 4])[0]
            check(headers[length + 1] == 7, "a header that is not text")
            named[headers[1:length + 1].decode()] = headers[length + 4:length + 4 + size].decode()
            headers = headers[length + 4 + size:]
        check(named[":message-type"] == "event" and named[":content-type"] == "application/x-amz-json-1.1", named)
        kinds.append(named[":event-type"])
    check(kinds == ["initial-response", "SubscribeToShardEvent"], kinds)
