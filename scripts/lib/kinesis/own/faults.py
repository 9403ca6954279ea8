"""What the control channel does."""
import json
import time
import urllib.error
import urllib.request

import botocore.exceptions

from ..client import HASH_KEYS, Kinesis, check, shard_id
from .registry import collected, story


@story()
def the_next_calls_fail_as_asked(kinesis):
    name = kinesis.stream(1)
    for code, status in (("InternalFailure", 500), ("ServiceUnavailable", 503), ("ProvisionedThroughputExceededException", 400),
                         ("LimitExceededException", 400)):
        kinesis.control("fault", kind="error", operation="PutRecord", code=code, times=2)
        for _ in range(2):
            try:
                kinesis.put(name, b"x")
                check(False, f"no {code}")
            except botocore.exceptions.ClientError as error:
                check(error.response["Error"]["Code"] == code and error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error)
        kinesis.put(name, b"x")
    found = kinesis.control("counters", reset=True)
    check(found["faults"] == {"PutRecord/error": 8} and found["errors"]["PutRecord/InternalFailure"] == 2, found)
    check(kinesis.control("counters")["calls"] == {}, "counters are not reset")


@story("--seed", "7")
def a_share_of_calls_fails(kinesis):
    name = kinesis.stream(1)
    kinesis.control("fault", kind="error", operation=["PutRecord"], percent=30)
    failed = 0
    for _ in range(100):
        try:
            kinesis.put(name, b"x")
        except botocore.exceptions.ClientError:
            failed += 1
    check(15 < failed < 45 and len(kinesis.everything(name)[0]) == 100 - failed, failed)
    kinesis.control("clear")
    kinesis.put(name, b"x")


@story()
def a_write_happens_though_its_answer_is_lost(kinesis):
    name = kinesis.stream(1)
    for kind, raised in (("lost-answer", botocore.exceptions.BotoCoreError), ("late-error", botocore.exceptions.ClientError), ("cut", Exception)):
        kinesis.control("fault", kind=kind, operation="PutRecord")
        try:
            kinesis.put(name, kind.encode())
            check(False, f"{kind}: an answer")
        except raised:
            pass
    kinesis.control("fault", kind="drop", operation="PutRecord")
    try:
        kinesis.put(name, b"drop")
    except botocore.exceptions.BotoCoreError:
        pass
    check(kinesis.data(name) == [b"lost-answer", b"late-error", b"cut"], kinesis.data(name))


@story()
def a_write_happens_though_nobody_answers(kinesis):
    name = kinesis.stream(1)
    hurried = Kinesis(kinesis.url, timeout=0.3)
    for kind, words in (("hang", {}), ("delay", {"seconds": 1})):
        kinesis.control("fault", kind=kind, operation="PutRecord", **words)
        try:
            hurried.put(name, kind.encode())
            check(False, f"{kind}: an answer")
        except botocore.exceptions.ReadTimeoutError:
            pass
    check(kinesis.data(name) == [b"hang", b"delay"], kinesis.data(name))


@story()
def a_batch_fails_in_part(kinesis):
    name = kinesis.stream(2)
    batch = [{"Data": str(index).encode(), "PartitionKey": "k", "ExplicitHashKey": "0" if index % 2 == 0 else str(HASH_KEYS // 2)} for index in range(10)]
    kinesis.control("fault", kind="partial", records=[1, 4])
    answer = kinesis.boto.put_records(StreamName=name, Records=batch)
    check([index for index, each in enumerate(answer["Records"]) if "ErrorCode" in each] == [1, 4] and answer["FailedRecordCount"] == 2, answer)
    kinesis.control("fault", kind="partial", shard=shard_id(1), code="InternalFailure")
    answer = kinesis.boto.put_records(StreamName=name, Records=batch)
    check([each.get("ErrorCode") for each in answer["Records"]] == [None, "InternalFailure"] * 5, answer)
    check(kinesis.boto.put_records(StreamName=name, Records=batch)["FailedRecordCount"] == 0, "the faults go on")


@story("--heartbeat", "0.1")
def a_paused_shard_gives_nothing_and_then_all(kinesis):
    name = kinesis.stream(1)
    kinesis.control("pause", stream=name, shard=shard_id(0))
    kinesis.put(name, b"x")
    time.sleep(0.01)
    answer = kinesis.read(name)
    check(answer["Records"] == [] and answer["MillisBehindLatest"] > 0, answer)
    events = kinesis.subscribe(kinesis.consumer(name))
    check(collected(events, lambda event: True)[0]["Records"] == [], "a paused shard pushes")
    kinesis.control("resume")
    check(collected(events, lambda event: event["Records"]), "nothing is pushed")
    events.close()
    check(kinesis.data(name) == [b"x"], "nothing is read")


@story()
def a_read_may_be_empty_though_there_is_more(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    kinesis.control("fault", kind="empty")
    answer = kinesis.read(name)
    check(answer["Records"] == [], answer)
    check(len(kinesis.boto.get_records(ShardIterator=answer["NextShardIterator"])["Records"]) == 1, "the record is gone")


@story()
def what_the_control_channel_does_not_know_is_refused(kinesis):
    for words in ({"do": "dance"}, {"do": "fault", "kind": "fire"}, {"do": "trim"}, {}):
        try:
            urllib.request.urlopen(urllib.request.Request(kinesis.url + "/_control", json.dumps(words).encode()))
            check(False, f"{words} is taken")
        except urllib.error.HTTPError as error:
            check(error.code == 400 and json.load(error), error)
