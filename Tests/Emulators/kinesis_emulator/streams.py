"""Streams: create, describe, list, delete, tag, configure. A function has its operation's name."""
from .errors import ServiceError, in_use, invalid, limit_exceeded
from .stream import Stream
from .validation import FILTERS, Text, refuse

TOKEN_TTL = 300_000      # "tokens expire after 300 seconds" (ListShards, NextToken)


def require_active(stream):
    if stream.status != "ACTIVE":
        raise in_use(f"Stream {stream.name} under account {stream.account} not ACTIVE, instead in state {stream.status}")


def seconds(milliseconds):
    return milliseconds / 1000


def mode_of(request):
    mode = request["StreamModeDetails"].get("StreamMode")
    if mode is None:
        refuse([(None, "streamModeDetails.streamMode", "Member must not be null")])
    refuse([(mode, "streamModeDetails.streamMode", words) for words in Text(options=["PROVISIONED", "ON_DEMAND"]).breaches(mode)])
    return mode


def CreateStream(service, request):
    name, settings = request["StreamName"], service.settings
    mode = mode_of(request) if "StreamModeDetails" in request else "PROVISIONED"
    count = request.get("ShardCount")
    if mode == "ON_DEMAND":
        if count is not None:
            raise invalid("ShardCount cannot be specified for an on-demand stream.")
        count = 4                                       # a new on-demand stream has four shards
    elif count is None:
        raise invalid("ShardCount must be specified for a provisioned stream.")
    if name in service.streams:
        raise in_use(f"Stream {name} under account {settings.account} already exists.")
    if sum(stream.status == "CREATING" for stream in service.streams.values()) >= 5:
        raise limit_exceeded(f"Only 5 streams can be in state CREATING at a time under account {settings.account}.")
    stream = Stream(name, settings.account, settings.region, int(count), service.now(), service.epoch(), mode, request.get("MaxRecordSizeInKiB", 1024))
    stream.tags = dict(request.get("Tags", {}))
    stream.status = "CREATING"
    service.streams[name] = stream
    service.later(lambda: setattr(stream, "status", "ACTIVE"))
    return None


def DeleteStream(service, request):
    stream = service.stream(request)
    if stream.consumers and not request.get("EnforceConsumerDeletion"):
        raise in_use(f"Stream {stream.name} under account {stream.account} has registered consumers; EnforceConsumerDeletion is not set.")
    stream.status = "DELETING"

    def delete():
        if service.streams.get(stream.name) is stream:
            del service.streams[stream.name]
            for subscription in [each for each in service.subscriptions.values() if each.shard.stream is stream]:
                subscription.fail("ResourceNotFoundException", f"Stream {stream.name} under account {stream.account} not found.")

    service.later(delete)
    return None


def _common(stream):
    answer = {"StreamName": stream.name, "StreamARN": stream.arn, "StreamStatus": stream.status,
              "StreamModeDetails": {"StreamMode": stream.mode}, "RetentionPeriodHours": stream.retention_hours,
              "StreamCreationTimestamp": seconds(stream.created), "EnhancedMonitoring": [{"ShardLevelMetrics": stream.monitoring}],
              "EncryptionType": "KMS" if stream.encryption_key else "NONE"}
    if stream.encryption_key:
        answer["KeyId"] = stream.encryption_key
    return answer


def DescribeStream(service, request):
    stream = service.stream(request)
    after, limit = request.get("ExclusiveStartShardId", ""), min(int(request.get("Limit", 100)), 100)
    shards = [] if stream.status == "CREATING" else [shard for shard in stream.listed() if shard.id > after]
    return {"StreamDescription": {**_common(stream), "Shards": [shard.description() for shard in shards[:limit]], "HasMoreShards": len(shards) > limit}}


def DescribeStreamSummary(service, request):
    stream = service.stream(request)
    return {"StreamDescriptionSummary": {**_common(stream), "OpenShardCount": len(stream.open), "ConsumerCount": len(stream.consumers),
                                         "MaxRecordSizeInKiB": stream.record_kib}}


def DescribeLimits(service, request):
    streams = service.streams.values()
    return {"ShardLimit": 20000, "OpenShardCount": sum(len(stream.open) for stream in streams),
            "OnDemandStreamCount": sum(stream.mode == "ON_DEMAND" for stream in streams), "OnDemandStreamCountLimit": 50}


def ListStreams(service, request):
    after, limit = request.get("ExclusiveStartStreamName", ""), int(request.get("Limit", 100))
    if "NextToken" in request:
        after = from_token(service, request, "streams")[0]
    names = sorted(name for name in service.streams if name > after)
    page = [service.streams[name] for name in names[:limit]]
    answer = {"StreamNames": [stream.name for stream in page], "HasMoreStreams": len(names) > limit,
              "StreamSummaries": [{key: value for key, value in _common(stream).items()
                                   if key in ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")} for stream in page]}
    if len(names) > limit:
        answer["NextToken"] = token(service, "streams", page[-1].name)
    return answer


def token(service, kind, *values):
    return service.seal.pack(kind, service.now(), *values)


def from_token(service, request, kind):
    try:
        found, created, *values = service.seal.unpack(request["NextToken"])
    except ValueError:
        raise invalid("Invalid NextToken.") from None
    if found != kind:
        raise invalid("Invalid NextToken.")
    if service.now() - created > TOKEN_TTL:
        raise ServiceError("ExpiredNextTokenException", "The pagination token passed to the operation is expired.")
    return values


def ListShards(service, request):
    if "NextToken" in request:
        for other in ("StreamName", "StreamCreationTimestamp", "ExclusiveStartShardId", "ShardFilter"):
            if other in request:
                raise invalid(f"NextToken and {other} cannot be provided together.")
        name, epoch, after, shard_filter = from_token(service, request, "shards")
        stream = service.named(name)
        if stream.epoch != epoch:
            raise invalid("Invalid NextToken.")
    else:
        stream, after, shard_filter = service.stream(request), request.get("ExclusiveStartShardId", ""), request.get("ShardFilter", {})
        check_filter(shard_filter, after)
    if stream.status in ("CREATING", "DELETING"):
        raise in_use(f"Stream {stream.name} under account {stream.account} not ACTIVE, instead in state {stream.status}")
    limit = int(request.get("MaxResults", 1000))
    shards = [shard for shard in stream.filtered(shard_filter.get("Type"), shard_filter.get("ShardId"), shard_filter.get("Timestamp", 0) * 1000)
              if shard.id > after]
    answer = {"Shards": [shard.description() for shard in shards[:limit]]}
    if len(shards) > limit:
        answer["NextToken"] = token(service, "shards", stream.name, stream.epoch, shards[limit - 1].id, shard_filter)
    return answer


def check_filter(shard_filter, after):
    if not shard_filter:
        return
    kind = shard_filter.get("Type")
    refuse([(kind, "shardFilter.type", words) for words in Text(options=FILTERS).breaches(kind)] if kind is not None
           else [(None, "shardFilter.type", "Member must not be null")])
    for member, kinds in (("ShardId", ("AFTER_SHARD_ID",)), ("Timestamp", ("AT_TIMESTAMP", "FROM_TIMESTAMP"))):
        if (kind in kinds) != (member in shard_filter):
            raise invalid(f"{member} {'must' if kind in kinds else 'cannot'} be specified in a ShardFilter of type {kind}.")
    if after:
        raise invalid("ExclusiveStartShardId and ShardFilter cannot be provided together.")


def IncreaseStreamRetentionPeriod(service, request):
    return _retain(service, request, longer=True)


def DecreaseStreamRetentionPeriod(service, request):
    return _retain(service, request, longer=False)


def _retain(service, request, longer):
    stream, hours = service.stream(request), int(request["RetentionPeriodHours"])
    if hours < 24:
        raise invalid(f"Minimum allowed retention period is 24 hours. Requested retention period ({hours} hours) is too short.")
    if hours > 8760:
        raise invalid(f"Maximum allowed retention period is 8760 hours. Requested retention period ({hours} hours) is too long.")
    if (hours < stream.retention_hours) if longer else (hours > stream.retention_hours):
        raise invalid(f"Requested retention period ({hours} hours) for stream {stream.name} can not be {'shorter' if longer else 'longer'} than existing "
                      f"retention period ({stream.retention_hours} hours). Use {'Decrease' if longer else 'Increase'}RetentionPeriod API.")
    require_active(stream)
    stream.retention_hours = hours
    stream.expire(service.now())
    return None


def UpdateMaxRecordSize(service, request):
    stream = service.stream(request)
    require_active(stream)
    stream.record_kib = int(request["MaxRecordSizeInKiB"])
    return None


def UpdateStreamMode(service, request):
    stream = service.stream(request)
    require_active(stream)
    stream.mode = mode_of(request)
    return None


def AddTagsToStream(service, request):
    stream = service.stream(request)
    if len({**stream.tags, **request["Tags"]}) > 50:
        raise invalid(f"Failed to add tags to stream {stream.name} under account {stream.account} because a given stream cannot have more than 50 tags.")
    stream.tags.update(request["Tags"])
    return None


def RemoveTagsFromStream(service, request):
    tags = service.stream(request).tags
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return None


def ListTagsForStream(service, request):
    tags, after, limit = service.stream(request).tags, request.get("ExclusiveStartTagKey", ""), int(request.get("Limit", 50))
    keys = sorted(key for key in tags if key > after)
    return {"Tags": [{"Key": key, "Value": tags[key]} for key in keys[:limit]], "HasMoreTags": len(keys) > limit}


def StartStreamEncryption(service, request):
    service.stream(request).encryption_key = request["KeyId"]
    return None


def StopStreamEncryption(service, request):
    service.stream(request).encryption_key = None
    return None


def EnableEnhancedMonitoring(service, request):
    return _monitor(service, request, lambda now, asked: now + [metric for metric in asked if metric not in now])


def DisableEnhancedMonitoring(service, request):
    return _monitor(service, request, lambda now, asked: [metric for metric in now if metric not in asked and "ALL" not in asked])


def _monitor(service, request, change):
    stream = service.stream(request)
    before, stream.monitoring = stream.monitoring, change(stream.monitoring, request["ShardLevelMetrics"])
    return {"StreamName": stream.name, "StreamARN": stream.arn, "CurrentShardLevelMetrics": before, "DesiredShardLevelMetrics": stream.monitoring}
