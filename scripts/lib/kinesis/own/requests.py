"""The form of requests, and the operations that no other story needs."""
import json
import urllib.error
import urllib.request

from ..client import HASH_KEYS, check, refused, shard_id
from .registry import story


@story()
def requests_of_the_wrong_form_are_refused(kinesis):
    def answer(body, operation="PutRecord", kind="application/x-amz-json-1.1"):
        request = urllib.request.Request(kinesis.url, body, {"Content-Type": kind, "X-Amz-Target": f"Kinesis_20131202.{operation}"})
        try:
            with urllib.request.urlopen(request) as found:
                return found.status, json.load(found)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}").get("__type")
    kinesis.boto.create_stream(StreamName="s", ShardCount=1)
    good = {"StreamName": "s", "PartitionKey": "k", "Data": "eA=="}
    check(answer(json.dumps(good).encode())[0] == 200, "the good one")
    for changed in ({"Data": "e"}, {"Data": "*=="}, {"Data": 7}, {"PartitionKey": 7}, {"StreamName": ["s"]}):
        found = answer(json.dumps({**good, **changed}).encode())
        check(found == (400, "SerializationException"), f"{changed}: {found}")
    for changed in ({"Data": None}, {"PartitionKey": ""}, {"ExplicitHashKey": "-1"}, {"ExplicitHashKey": "007"}, {"StreamName": "a b"}):
        found = answer(json.dumps({**good, **changed}).encode())
        check(found == (400, "ValidationException"), f"{changed}: {found}")
    check(answer(b"{") == (400, "SerializationException") and answer(b"[]") == (400, "SerializationException"), "no JSON")
    check(answer(b"{}", "DropRecords") == (400, "UnknownOperationException"), "an unknown operation")
    check(answer(b"{}", kind="application/x-amz-cbor-1.1")[0] == 404, "CBOR")


@story()
def other_settings_of_a_stream_are_kept(kinesis):
    name = kinesis.stream(1)
    arn = kinesis.summary(name)["StreamARN"]
    kinesis.boto.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=2048)
    kinesis.put(name, b"x" * (3 << 19))
    kinesis.boto.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    check(kinesis.put(name, b"x")["EncryptionType"] == "KMS", "not encrypted")
    kinesis.boto.stop_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId="alias/aws/kinesis")
    found = kinesis.boto.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["IncomingBytes"])
    check(found["DesiredShardLevelMetrics"] == ["IncomingBytes"], found)
    check(kinesis.boto.disable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["ALL"])["DesiredShardLevelMetrics"] == [], "still monitored")
    kinesis.boto.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    refused("ValidationException", kinesis.boto.split_shard, StreamName=name, ShardToSplit=shard_id(0), NewStartingHashKey=str(HASH_KEYS // 2))
