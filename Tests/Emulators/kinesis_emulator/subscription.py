"""One SubscribeToShard call: what is pushed, and when it ends."""
import asyncio
import json

from . import eventstream

RECORDS, BYTES = 500, 1 << 20       # the most in one event


class Subscription:
    """`frames()` is consumed by the connection; `fail` and `close` end it from outside.

    It ends after five minutes, at the shard's end, when another subscription takes over, or when the consumer or stream goes away. At the
    shard's end the last event has ChildShards and no ContinuationSequenceNumber (that is how Amazon's own client recognises it).
    """

    def __init__(self, service, consumer, shard, position):
        self.service, self.consumer, self.shard, self.position = service, consumer, shard, position
        self.started = service.now()
        self.wakeup = asyncio.Event()
        self.ended, self.last_words = False, b""
        self.abrupt = False               # the connection is to be cut
        self.events = 0

    def fail(self, kind, message):
        self.close(eventstream.failure(kind, json.dumps({"message": message}).encode()))

    def close(self, last_words=b""):
        if not self.ended:
            self.ended, self.last_words = True, last_words
            self.wakeup.set()

    def forget(self):
        self.shard.waiting.discard(self.wakeup.set)
        self.close()
        key = (self.consumer.arn, self.shard.id)
        if self.service.subscriptions.get(key) is self:
            del self.service.subscriptions[key]

    async def frames(self):
        """Frames until the subscription ends."""
        self.shard.waiting.add(self.wakeup.set)
        try:
            yield eventstream.event("initial-response", b"{}")
            quiet_since = self.service.now()
            while not self.ended:
                self.wakeup.clear()
                now = self.service.now()
                if now - self.started >= self.service.settings.subscription:
                    return
                frame, ended = self._next(now, idle=now - quiet_since)
                if frame is not None:
                    quiet_since = now
                    self.events += 1
                    yield frame
                    if ended:
                        return
                    continue
                try:
                    await asyncio.wait_for(self.wakeup.wait(), min(self.service.settings.heartbeat / 1000, 0.25))
                except asyncio.TimeoutError:
                    pass
            if self.last_words:
                yield self.last_words
        finally:
            self.forget()

    def _next(self, now, idle):
        """Answers (frame or None, whether it is the last)."""
        shard, found = self.shard, []
        if not shard.paused:
            found, self.position, _ = shard.read(self.position, RECORDS, BYTES)
            if shard.has_ended(self.position):
                return self._event(found, None, 0, shard.child_descriptions()), True
        if not found and idle < self.service.settings.heartbeat:
            return None, False
        if found:
            continuation = shard.number_at(self.position - 1)
        else:
            continuation = shard.number_before(self.position)
        return self._event(found, continuation, shard.millis_behind(self.position, now), None), False

    def _event(self, found, continuation, behind, children):
        payload = f'{{"Records":[{",".join(found)}],"MillisBehindLatest":{behind}'
        if continuation is not None:
            payload += f',"ContinuationSequenceNumber":"{continuation}"'
        if children is not None:
            payload += f',"ChildShards":{json.dumps(children)}'
        return eventstream.event("SubscribeToShardEvent", (payload + "}").encode())
