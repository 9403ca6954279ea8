"""Enhanced fan-out: registered consumers and their subscriptions."""
from . import records
from .errors import in_use, invalid, limit_exceeded, not_found
from .streams import from_token, require_active, seconds, token
from .subscription import Subscription
from .validation import NUMBER, POSITIONS, Text, refuse

MOST = 20                    # consumers of a stream
TAKEOVER = 5_000             # a second subscription within this time of the first is refused


class Consumer:
    def __init__(self, stream, name, now):
        self.stream, self.name, self.created, self.status = stream, name, now, "CREATING"
        self.arn = f"{stream.arn}/consumer/{name}:{now // 1000}"
        self.subscribed = {}      # shard id: when the last subscription began

    def description(self, with_stream=False):
        answer = {"ConsumerName": self.name, "ConsumerARN": self.arn, "ConsumerStatus": self.status, "ConsumerCreationTimestamp": seconds(self.created)}
        return {**answer, "StreamARN": self.stream.arn} if with_stream else answer


def consumer(service, request):
    """The consumer that an ARN names, or a stream's ARN and a name."""
    arn, name = request.get("ConsumerARN"), request.get("ConsumerName")
    if arn is None and (name is None or "StreamARN" not in request):
        raise invalid("Either ConsumerARN or both StreamARN and ConsumerName must be provided.")
    if arn is not None:
        found = next((each for stream in service.streams.values() for each in stream.consumers.values() if each.arn == arn), None)
        if found is not None and ((name or found.name) != found.name or request.get("StreamARN", found.stream.arn) != found.stream.arn):
            raise invalid("The given StreamARN, ConsumerName and ConsumerARN do not name the same consumer.")
    else:
        found = service.stream({"StreamARN": request["StreamARN"]}).consumers.get(name)
    if found is None:
        raise not_found(f"Consumer {arn or name}, Account {service.settings.account} not found.")
    return found


def RegisterStreamConsumer(service, request):
    stream, name = service.stream(request), request["ConsumerName"]
    require_active(stream)
    if name in stream.consumers:
        raise in_use(f"Consumer {name} under stream {stream.name} already exists for account {stream.account}.")
    if len(stream.consumers) >= MOST:
        raise limit_exceeded(f"Stream {stream.name} under account {stream.account} has reached its limit of {MOST} consumers.")
    if sum(each.status == "CREATING" for each in stream.consumers.values()) >= 5:
        raise limit_exceeded(f"Only 5 consumers can be in state CREATING at a time for stream {stream.name}.")
    made = stream.consumers[name] = Consumer(stream, name, service.now())
    answer = {"Consumer": made.description()}
    service.later(lambda: setattr(made, "status", "ACTIVE"))
    return answer


def DescribeStreamConsumer(service, request):
    return {"ConsumerDescription": consumer(service, request).description(with_stream=True)}


def ListStreamConsumers(service, request):
    after, stream = "", service.stream(request)
    if "NextToken" in request:
        arn, after = from_token(service, request, "consumers")
        if arn != stream.arn:
            raise invalid("Invalid NextToken.")
    limit = int(request.get("MaxResults", 100))
    names = sorted(name for name in stream.consumers if name > after)
    answer = {"Consumers": [stream.consumers[name].description() for name in names[:limit]]}
    if len(names) > limit:
        answer["NextToken"] = token(service, "consumers", stream.arn, names[limit - 1])
    return answer


def DeregisterStreamConsumer(service, request):
    found = consumer(service, request)
    found.status = "DELETING"

    def delete():
        if found.stream.consumers.get(found.name) is found:
            del found.stream.consumers[found.name]
        for subscription in [each for each in service.subscriptions.values() if each.consumer is found]:
            subscription.fail("ResourceNotFoundException", f"Consumer {found.arn}, Account {service.settings.account} not found.")

    service.later(delete)
    return None


def SubscribeToShard(service, request):
    found, start, now = consumer(service, {"ConsumerARN": request["ConsumerARN"]}), request["StartingPosition"], service.now()
    kind, number = start.get("Type"), start.get("SequenceNumber")
    breaches = [(kind, "startingPosition.type", words) for words in Text(options=POSITIONS).breaches(kind)] if kind is not None \
        else [(None, "startingPosition.type", "Member must not be null")]
    if number is not None:
        breaches += [(number, "startingPosition.sequenceNumber", words) for words in NUMBER.breaches(number)]
    refuse(breaches)
    if found.status != "ACTIVE":
        raise in_use(f"Consumer {found.arn} not ACTIVE, instead in state {found.status}")
    shard = found.stream.shard(request["ShardId"])
    position = records.place(service, shard, kind, number, start.get("Timestamp"), "SubscribeToShard")
    key = (found.arn, shard.id)
    if now - found.subscribed.get(shard.id, now - TAKEOVER) < TAKEOVER:
        raise in_use(f"Another active subscription exists for this consumer: {shard.stream.account}:{shard.stream.name}:{shard.id}:{found.name}")
    earlier = service.subscriptions.get(key)
    if earlier is not None:
        earlier.fail("ResourceInUseException", "Another subscription of this consumer has taken over the shard.")
    found.subscribed[shard.id] = now
    service.subscriptions[key] = Subscription(service, found, shard, position)
    return service.subscriptions[key]
