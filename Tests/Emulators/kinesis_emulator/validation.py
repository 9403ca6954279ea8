"""What every request is checked for before it is carried out: types, presence, sizes, patterns.

The limits are those of the API reference's shapes. Several breaches are told in one answer, as the service does.
"""
import re

from .errors import ServiceError


class Text:
    def __init__(self, pattern=None, least=None, most=None, options=None):
        self.pattern = pattern and re.compile(pattern)
        self.words, self.least, self.most, self.options = pattern, least, most, options

    def breaches(self, value):
        if not isinstance(value, str):
            raise serialization(value, "String")
        if self.options and value not in self.options:
            yield f"Member must satisfy enum value set: [{', '.join(self.options)}]"
        if self.least is not None and len(value) < self.least:
            yield f"Member must have length greater than or equal to {self.least}"
        if self.most is not None and len(value) > self.most:
            yield f"Member must have length less than or equal to {self.most}"
        if self.pattern and not self.pattern.fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {self.words}"


class Whole:
    def __init__(self, least=None, most=None):
        self.least, self.most = least, most

    def breaches(self, value):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise serialization(value, "Integer")
        if self.least is not None and value < self.least:
            yield f"Member must have value greater than or equal to {self.least}"
        if self.most is not None and value > self.most:
            yield f"Member must have value less than or equal to {self.most}"


class Flag:
    def breaches(self, value):
        if not isinstance(value, bool):
            raise serialization(value, "Boolean")
        return ()


class Time:
    def breaches(self, value):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ServiceError("SerializationException", f"{_java(value)} can not be converted to milliseconds since epoch")
        return ()


class Map:
    def breaches(self, value):
        if not isinstance(value, dict):
            raise ServiceError("SerializationException", "Expected map or null")
        return ()


class List:
    def __init__(self, least, most):
        self.least, self.most = least, most

    def breaches(self, value):
        if not isinstance(value, list):
            raise ServiceError("SerializationException", "Expected list or null")
        if not self.least <= len(value):
            yield f"Member must have length greater than or equal to {self.least}"
        if len(value) > self.most:
            yield f"Member must have length less than or equal to {self.most}"


STREAM = Text("[a-zA-Z0-9_.-]+", 1, 128)
STREAM_ARN = Text(r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+", 1, 2048)
CONSUMER_ARN = Text(r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+", 1, 2048)
RESOURCE_ARN = Text(r"arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+", 1, 2048)
SHARD = Text("[a-zA-Z0-9_.-]+", 1, 128)
NUMBER = Text(r"0|([1-9]\d{0,128})")
HASH_KEY = Text(r"0|([1-9]\d{0,38})")
KEY = Text(None, 1, 256)
BLOB = Text()
TOKEN = Text(None, 1, 1048576)
POSITIONS = ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]
FILTERS = ["AFTER_SHARD_ID", "AT_TRIM_HORIZON", "FROM_TRIM_HORIZON", "AT_LATEST", "AT_TIMESTAMP", "FROM_TIMESTAMP"]
_ONE = {"StreamName": STREAM, "StreamARN": STREAM_ARN}

# operation: members; a name that ends in "!" must be there
SHAPES = {
    "CreateStream": {"StreamName!": STREAM, "ShardCount": Whole(1), "StreamModeDetails": Map(), "Tags": Map(), "MaxRecordSizeInKiB": Whole(1024, 10240)},
    "DeleteStream": {**_ONE, "EnforceConsumerDeletion": Flag()},
    "DescribeStream": {**_ONE, "Limit": Whole(1, 10000), "ExclusiveStartShardId": SHARD},
    "DescribeStreamSummary": _ONE,
    "DescribeLimits": {},
    "ListStreams": {"Limit": Whole(1, 10000), "ExclusiveStartStreamName": STREAM, "NextToken": TOKEN},
    "ListShards": {**_ONE, "NextToken": TOKEN, "ExclusiveStartShardId": SHARD, "MaxResults": Whole(1, 10000),
                   "StreamCreationTimestamp": Time(), "ShardFilter": Map()},
    "PutRecord": {**_ONE, "Data!": BLOB, "PartitionKey!": KEY, "ExplicitHashKey": HASH_KEY, "SequenceNumberForOrdering": NUMBER},
    "PutRecords": {**_ONE, "Records!": List(1, 500)},
    "GetShardIterator": {**_ONE, "ShardId!": SHARD, "ShardIteratorType!": Text(options=POSITIONS), "StartingSequenceNumber": NUMBER, "Timestamp": Time()},
    "GetRecords": {"ShardIterator!": Text(None, 1, 512), "Limit": Whole(1, 10000), "StreamARN": STREAM_ARN},
    "SplitShard": {**_ONE, "ShardToSplit!": SHARD, "NewStartingHashKey!": HASH_KEY},
    "MergeShards": {**_ONE, "ShardToMerge!": SHARD, "AdjacentShardToMerge!": SHARD},
    "UpdateShardCount": {**_ONE, "TargetShardCount!": Whole(1), "ScalingType!": Text(options=["UNIFORM_SCALING"])},
    "IncreaseStreamRetentionPeriod": {**_ONE, "RetentionPeriodHours!": Whole()},
    "DecreaseStreamRetentionPeriod": {**_ONE, "RetentionPeriodHours!": Whole()},
    "UpdateMaxRecordSize": {"StreamARN!": STREAM_ARN, "MaxRecordSizeInKiB!": Whole(1024, 10240)},
    "UpdateStreamMode": {"StreamARN!": STREAM_ARN, "StreamModeDetails!": Map()},
    "AddTagsToStream": {**_ONE, "Tags!": Map()},
    "RemoveTagsFromStream": {**_ONE, "TagKeys!": List(1, 50)},
    "ListTagsForStream": {**_ONE, "Limit": Whole(1, 50), "ExclusiveStartTagKey": Text(None, 1, 128)},
    "StartStreamEncryption": {**_ONE, "EncryptionType!": Text(options=["NONE", "KMS"]), "KeyId!": Text(None, 1, 2048)},
    "StopStreamEncryption": {**_ONE, "EncryptionType!": Text(options=["NONE", "KMS"]), "KeyId!": Text(None, 1, 2048)},
    "EnableEnhancedMonitoring": {**_ONE, "ShardLevelMetrics!": List(1, 7)},
    "DisableEnhancedMonitoring": {**_ONE, "ShardLevelMetrics!": List(1, 7)},
    "RegisterStreamConsumer": {"StreamARN!": STREAM_ARN, "ConsumerName!": STREAM, "Tags": Map()},
    "DescribeStreamConsumer": {"StreamARN": STREAM_ARN, "ConsumerName": STREAM, "ConsumerARN": CONSUMER_ARN},
    "DeregisterStreamConsumer": {"StreamARN": STREAM_ARN, "ConsumerName": STREAM, "ConsumerARN": CONSUMER_ARN},
    "ListStreamConsumers": {"StreamARN!": STREAM_ARN, "NextToken": TOKEN, "MaxResults": Whole(1, 10000), "StreamCreationTimestamp": Time()},
    "SubscribeToShard": {"ConsumerARN!": CONSUMER_ARN, "ShardId!": SHARD, "StartingPosition!": Map()},
}


def check(operation, request):
    """Drops members that are null; throws what the service would answer."""
    for name in [name for name, value in request.items() if value is None]:
        del request[name]
    found = []
    for member, shape in SHAPES[operation].items():
        name = member.rstrip("!")
        if name in request:
            found += [(request[name], name, words) for words in shape.breaches(request[name])]
        elif member.endswith("!"):
            found.append((None, name, "Member must not be null"))
    refuse(found)


def refuse(found):
    """Throws a ValidationException for the breaches [(value, member, words)], if there are any."""
    if found:
        listed = "; ".join(f"Value {_quoted(value)} at '{name[0].lower() + name[1:]}' failed to satisfy constraint: {words}"
                           for value, name, words in found[:10])
        raise ServiceError("ValidationException", f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {listed}")


def _quoted(value):
    if value is None:
        return "null"
    return f"'{str(value)[:200]}'"


def _java(value):
    return {bool: "class java.lang.Boolean", str: "class java.lang.String"}.get(type(value), "class com.amazon.coral.value.json.numbers.TruncatingBigNumber")


def serialization(value, kind):
    if isinstance(value, list):
        return ServiceError("SerializationException", "Start of list found where not expected")
    if isinstance(value, dict):
        return ServiceError("SerializationException", "Start of structure or map found where not expected.")
    return ServiceError("SerializationException", f"{_java(value)} can not be converted to an {kind}")
