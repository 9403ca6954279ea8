"""What the cases talk through: boto3, and short words for what they do often."""
import datetime
import itertools
import json
import time
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

HASH_KEYS = 1 << 128
names = itertools.count(1)


class Deviation(AssertionError):
    """The server does not do what the service is documented to do."""


def check(condition, words):
    if not condition:
        raise Deviation(words)


def client(url, access_key="AKIDEXAMPLE", secret_key="secret", session_token=None, region="us-east-1", timeout=10):
    return boto3.client("kinesis", endpoint_url=url, region_name=region, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
                        aws_session_token=session_token,
                        config=botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=timeout, max_pool_connections=20))


class Kinesis:
    """A boto3 client, `boto`, of one server."""

    def __init__(self, url, **options):
        self.url = url
        self.boto = client(url, **options)

    def stream(self, shards=1, **options):
        """A new, active stream."""
        name = f"s{next(names)}"
        self.boto.create_stream(StreamName=name, **({"ShardCount": shards} if shards else {}), **options)
        self.active(name)
        return name

    def active(self, name):
        deadline = time.monotonic() + 10
        while self.summary(name)["StreamStatus"] != "ACTIVE":
            check(time.monotonic() < deadline, f"{name} does not become ACTIVE")
            time.sleep(0.02)

    def summary(self, name):
        return self.boto.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]

    def shards(self, name, **options):
        return self.boto.list_shards(StreamName=name, **options)["Shards"]

    def put(self, name, data, key="k", **options):
        return self.boto.put_record(StreamName=name, Data=data, PartitionKey=key, **options)

    def iterator(self, name, shard=0, kind="TRIM_HORIZON", **options):
        return self.boto.get_shard_iterator(StreamName=name, ShardId=shard if isinstance(shard, str) else shard_id(shard),
                                            ShardIteratorType=kind, **options)["ShardIterator"]

    def read(self, name, shard=0, kind="TRIM_HORIZON", **options):
        """One GetRecords from there."""
        return self.boto.get_records(ShardIterator=self.iterator(name, shard, kind, **options))

    def data(self, name, shard=0, kind="TRIM_HORIZON", **options):
        return [record["Data"] for record in self.read(name, shard, kind, **options)["Records"]]

    def everything(self, name, shard=0):
        """All of a shard, until the tip or the end: (records, the last answer)."""
        found, answer = [], {"NextShardIterator": self.iterator(name, shard)}
        for _ in range(50):
            answer = self.boto.get_records(ShardIterator=answer["NextShardIterator"])
            found += answer["Records"]
            if not answer.get("NextShardIterator") or not answer["Records"] and answer["MillisBehindLatest"] == 0:
                return found, answer
        raise Deviation("fifty calls do not reach the tip")

    def split(self, name, shard=0):
        """In the middle."""
        found = next(each for each in self.shards(name) if each["ShardId"] == shard_id(shard))["HashKeyRange"]
        middle = (int(found["StartingHashKey"]) + int(found["EndingHashKey"]) + 1) // 2
        self.boto.split_shard(StreamName=name, ShardToSplit=shard_id(shard), NewStartingHashKey=str(middle))
        self.active(name)

    def merge(self, name, shard, adjacent):
        self.boto.merge_shards(StreamName=name, ShardToMerge=shard_id(shard), AdjacentShardToMerge=shard_id(adjacent))
        self.active(name)

    def consumer(self, name, consumer="c"):
        arn = self.boto.register_stream_consumer(StreamARN=self.summary(name)["StreamARN"], ConsumerName=consumer)["Consumer"]["ConsumerARN"]
        deadline = time.monotonic() + 10
        while self.boto.describe_stream_consumer(ConsumerARN=arn)["ConsumerDescription"]["ConsumerStatus"] != "ACTIVE":
            check(time.monotonic() < deadline, "the consumer does not become ACTIVE")
            time.sleep(0.02)
        return arn

    def subscribe(self, consumer, shard=0, kind="TRIM_HORIZON", **options):
        return self.boto.subscribe_to_shard(ConsumerARN=consumer, ShardId=shard_id(shard), StartingPosition={"Type": kind, **options})["EventStream"]

    def control(self, do, **words):
        """The emulator's own channel."""
        body = json.dumps({"do": do, **words}).encode()
        with urllib.request.urlopen(urllib.request.Request(self.url + "/_control", body, {"Content-Type": "application/json"})) as answer:
            return json.load(answer)

    def state(self):
        """What the emulator says of itself."""
        with urllib.request.urlopen(self.url + "/_control") as answer:
            return json.load(answer)


def next_second():
    """Waits for a whole second to begin and answers it: boto3 sends times without fractions."""
    now = time.time()
    time.sleep(1 - now % 1 + 0.005)
    return datetime.datetime.fromtimestamp(int(now) + 1, datetime.timezone.utc)


def plain(text):
    """A web page of a server that broke, in few words."""
    return "a web page" if "<html" in text else text[:200]


def shard_id(index):
    return f"shardId-{index:012d}"


def numbers(records):
    return [int(record["SequenceNumber"]) for record in records]


def refused(code, function, *arguments, **options):
    """The call must fail with this error; answers the message. Several codes: any of them."""
    codes = (code,) if isinstance(code, str) else code
    try:
        function(*arguments, **options)
    except botocore.exceptions.ClientError as error:
        found = error.response["Error"]
        check(found["Code"] in codes, f"{found['Code']} instead of {' or '.join(codes)}: {plain(found['Message'])}")
        return found["Message"]
    raise Deviation(f"no {' or '.join(codes)}")
