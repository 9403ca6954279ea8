"""Records: put them, find a place, read on from there."""
import binascii
import json
from hashlib import md5
from json.encoder import encode_basestring_ascii as quoted

from . import sequence
from .errors import ServiceError, in_use, invalid, not_found, throughput_exceeded
from .shard import MIB
from .stream import HASH_KEYS
from .validation import HASH_KEY, KEY, refuse

READ_BYTES = 10 * MIB


def writable(service, request):
    stream = service.stream(request)
    if stream.status in ("CREATING", "DELETING"):
        raise not_found(f"Stream {stream.name} under account {stream.account} not found.")
    return stream


def size_of(data, key):
    """Bytes of a record: its data and its partition key count."""
    if not isinstance(data, str):
        raise ServiceError("SerializationException", "Data can not be converted to a Blob")
    try:
        return len(binascii.a2b_base64(data, strict_mode=True) if data else b"") + len(key.encode())
    except (binascii.Error, ValueError) as error:
        raise ServiceError("SerializationException", f"'{data[:100]}' can not be converted to a Blob: {error}") from None


def shard_for(stream, key, explicit):
    if explicit is None:
        return stream.shard_of(int.from_bytes(md5(key.encode()).digest(), "big"))
    value = int(explicit)
    if value >= HASH_KEYS:
        raise invalid(f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {explicit}")
    return stream.shard_of(value)


def check_size(stream, size, where):
    if size > stream.record_kib * 1024:
        refuse([("…", where, f"Member must have length less than or equal to {stream.record_kib * 1024}")])


def PutRecord(service, request):
    stream, now = writable(service, request), service.now()
    data, key = request["Data"], request["PartitionKey"]
    size = size_of(data, key)
    check_size(stream, size, "data")
    shard = shard_for(stream, key, request.get("ExplicitHashKey"))
    ordering = request.get("SequenceNumberForOrdering")
    if ordering is not None:
        try:
            valid = sequence.Parsed(ordering).second <= now // 1000
        except ValueError:
            valid = False
        if not valid:
            raise invalid(f"ExclusiveMinimumSequenceNumber {ordering} used in PutRecord on stream {stream.name} "
                          f"under account {stream.account} is invalid.")
    if service.settings.limits and not shard.may_write(size, now):
        raise throughput_exceeded(shard)
    number = shard.append(data, size, quoted(key), now)
    if shard.waiting:
        shard.changed()
    return {"ShardId": shard.id, "SequenceNumber": number, **encryption(stream)}


def encryption(stream):
    return {"EncryptionType": "KMS"} if stream.encryption_key else {}


def PutRecords(service, request):
    refused = request.get("_refused")         # a fault: (index, shard) -> the error code of a record that is to fail, or None
    stream, now, limits = writable(service, request), service.now(), service.settings.limits
    prepared, total = [], 0
    for index, record in enumerate(request["Records"]):
        if not isinstance(record, dict):
            raise ServiceError("SerializationException", "Expected null")
        data, key, explicit = record.get("Data"), record.get("PartitionKey"), record.get("ExplicitHashKey")
        where = f"records.{index + 1}.member."
        if data is None or key is None:
            refuse([(None, where + name, "Member must not be null") for name, value in (("data", data), ("partitionKey", key)) if value is None])
        if not isinstance(key, str) or not 0 < len(key) <= 256:
            refuse([(key, where + "partitionKey", words) for words in KEY.breaches(key)])
        if explicit is not None:
            refuse([(explicit, where + "explicitHashKey", words) for words in HASH_KEY.breaches(explicit)])
        size = size_of(data, key)
        check_size(stream, size, where + "data")
        total += size
        prepared.append((shard_for(stream, key, explicit), data, size, key))
    if total > service.settings.put_mib * MIB:
        raise invalid(f"Records size exceeds {service.settings.put_mib} MB limit")
    results, failed, touched = [], 0, set()
    for index, (shard, data, size, key) in enumerate(prepared):
        code = refused and refused(index, shard)
        if not code and limits and not shard.may_write(size, now):
            code = "ProvisionedThroughputExceededException"
        if code:
            failed += 1
            message = throughput_exceeded(shard).message if code.startswith("Provisioned") else "Internal service failure."
            results.append(f'{{"ErrorCode":"{code}","ErrorMessage":"{message}"}}')
            continue
        number = shard.append(data, size, quoted(key), now)
        results.append(f'{{"SequenceNumber":"{number}","ShardId":"{shard.id}"}}')
        touched.add(shard)
    for shard in touched:
        if shard.waiting:
            shard.changed()
    kind = ',"EncryptionType":"KMS"' if stream.encryption_key else ""
    return f'{{"FailedRecordCount":{failed},"Records":[{",".join(results)}]{kind}}}'


def GetShardIterator(service, request):
    stream = service.stream(request)
    if stream.status == "CREATING":
        raise in_use(f"Stream {stream.name} under account {stream.account} not ACTIVE, instead in state {stream.status}")
    shard = stream.shard(request["ShardId"])
    position = place(service, shard, request["ShardIteratorType"], request.get("StartingSequenceNumber"), request.get("Timestamp"), "GetShardIterator")
    return {"ShardIterator": service.iterators.make(shard, position, service.now())}


def place(service, shard, kind, number, time, operation):
    """The position that a shard iterator's type, or a subscription's starting position, stands for."""
    stream, now = shard.stream, service.now()
    by_number = kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
    if by_number != (number is not None) and kind != "AT_TIMESTAMP":
        raise invalid("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no "
                      f"StartingSequenceNumber. Request specified {kind} and {'no' if number is None else 'also a'} StartingSequenceNumber.")
    if by_number:
        return shard.at_number(parsed(shard, number, operation), after=kind == "AFTER_SEQUENCE_NUMBER")
    if kind == "TRIM_HORIZON":
        return shard.first
    if kind == "LATEST":
        return shard.end
    if time is None:
        raise invalid("Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.")
    milliseconds = int(round(time * 1000))
    if milliseconds > now:
        raise invalid("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. "
                      f"timestampInMillis: {milliseconds}, currentTimestampInMillis: {now}")
    return shard.at_time(milliseconds)


def parsed(shard, number, operation):
    stream = shard.stream
    used = f"StartingSequenceNumber {number} used in {operation} on shard {shard.id} in stream {stream.name} under account {stream.account} is invalid"
    try:
        found = sequence.Parsed(number)
    except ValueError:
        raise invalid(used + ".") from None
    if found.index != shard.index:
        raise invalid(f"Invalid StartingSequenceNumber. It encodes shardId-{found.index:012d}, while it was used in a call to a shard with {shard.id}")
    if found.created != stream.epoch:
        raise invalid(used + " because it did not come from this stream.")
    return found


def GetRecords(service, request):
    now = service.now()
    name, epoch, index, position = service.iterators.read(request["ShardIterator"], now)
    stream = service.streams.get(name)
    if stream is None or stream.epoch != epoch or stream.has_expired(stream.shards[index]):
        raise not_found(f"Shard shardId-{index:012d} in stream {name} under account {service.settings.account} does not exist")
    shard = stream.shards[index]
    if service.settings.limits and not shard.may_read(now):
        raise throughput_exceeded(shard)
    if shard.paused or request.get("_empty"):
        found, size, following = [], 0, max(position, shard.first)
    else:
        found, following, size = shard.read(position, int(request.get("Limit", 10_000)), READ_BYTES)
    if service.settings.limits:
        shard.was_read(size, now)
    answer = f'{{"Records":[{",".join(found)}],"MillisBehindLatest":{shard.millis_behind(following, now)}'
    if shard.has_ended(following) and not (found and tells_end_apart(service, shard)) and not shard.paused:
        return answer + f',"ChildShards":{json.dumps(shard.child_descriptions())}}}'
    return answer + f',"NextShardIterator":"{service.iterators.make(shard, following, now)}"}}'


def tells_end_apart(service, shard):
    """Whether the end of a closed shard comes in an empty answer of its own, behind the last records. The service does
    not promise one or the other, so by default shards of odd index do."""
    style = service.settings.shard_end
    return style == "empty" or style == "mixed" and shard.index % 2 == 1
