"""Split, merge, scale. Parents stay listed and readable until their last record is trimmed; puts go to children at once."""
from .errors import ServiceError, invalid
from .streams import require_active


def _provisioned(stream, operation):
    if stream.mode != "PROVISIONED":
        raise ServiceError("ValidationException", f"{operation} is only supported for streams in the PROVISIONED mode.")


def _update(service, stream, action):
    stream.status = "UPDATING"

    def done():
        action(service.now())
        stream.status = "ACTIVE"

    service.later(done)
    return None


def SplitShard(service, request):
    stream = service.stream(request)
    _provisioned(stream, "SplitShard")
    require_active(stream)
    shard, at = stream.shard(request["ShardToSplit"]), int(request["NewStartingHashKey"])
    stream.require_open(shard, "SplitShard")
    if not shard.lowest + 1 < at < shard.highest:
        raise invalid(f"NewStartingHashKey {at} used in SplitShard() on shard {shard.id} in stream {stream.name} under account {stream.account} "
                      f"is not both greater than one plus the shard's StartingHashKey {shard.lowest} and less than the shard's EndingHashKey {shard.highest}.")
    return _update(service, stream, lambda now: stream.split(shard, at, now))


def MergeShards(service, request):
    stream = service.stream(request)
    _provisioned(stream, "MergeShards")
    require_active(stream)
    shards = [stream.shard(request[name]) for name in ("ShardToMerge", "AdjacentShardToMerge")]
    for shard in shards:
        stream.require_open(shard, "MergeShards")
    one, other = shards
    if one.highest + 1 != other.lowest and other.highest + 1 != one.lowest:
        raise invalid(f"Shards {one.id} and {other.id} in stream {stream.name} under account {stream.account} are not an adjacent pair of shards "
                      "eligible for merging")
    return _update(service, stream, lambda now: stream.merge(one, other, now))


def UpdateShardCount(service, request):
    stream, target = service.stream(request), int(request["TargetShardCount"])
    _provisioned(stream, "UpdateShardCount")
    require_active(stream)
    current = len(stream.open)
    words = f"your current open shard count. Current open shard count: {current} Target shard count: {target}"
    if target > current * 2:
        raise invalid(f"UpdateShardCount cannot scale up over double {words}")
    if target * 2 < current:
        raise invalid(f"UpdateShardCount cannot scale down below half {words}")
    _update(service, stream, lambda now: stream.scale(target, now))
    return {"StreamName": stream.name, "StreamARN": stream.arn, "CurrentShardCount": current, "TargetShardCount": target}
