"""The tests' own channel: `POST /_control` with `{"do": …}`; `GET /_control` tells the state. Never signed."""
import json

from .faults import Faults
from .service import OPERATIONS
from .signature import Credentials


class Control:
    def __init__(self, emulator):
        self.emulator, self.service = emulator, emulator.service

    def handle(self, request):
        """Answers a dictionary; throws ValueError, KeyError or TypeError for what it does not understand."""
        words = dict(request)
        name = words.pop("do")
        action = getattr(self, "do_" + name.replace("-", "_"), None)
        if action is None:
            known = sorted(each[3:].replace("_", "-") for each in dir(self) if each.startswith("do_"))
            raise ValueError(f"nothing is called {name}: {', '.join(known)}")
        return action(**words) or {"ok": True}

    def state(self):
        service = self.service
        return {"now": service.now() / 1000, "operations": sorted(OPERATIONS), "counters": self.emulator.counters.answer(),
                "streams": {stream.name: {"status": stream.status, "open": len(stream.open),
                                          "shards": {shard.id: self._shard(shard) for shard in stream.shards}} for stream in service.streams.values()},
                "subscriptions": [{"consumer": each.consumer.name, "shard": each.shard.id, "events": each.events} for each in service.subscriptions.values()],
                "faults": [{"kind": fault.kind, "operations": sorted(fault.operations), "fired": fault.fired} for fault in self.emulator.faults.active]}

    def _shard(self, shard):
        return {"records": len(shard.rendered), "ever": shard.end - 1, "closed": shard.closed is not None, "paused": shard.paused}

    def do_fault(self, **words):
        self.emulator.faults.add(**words)

    def do_clear(self):
        """No faults, no denials, nothing paused, no limits, clocks as the machine's."""
        self.emulator.faults.clear()
        self.emulator.denied.clear()
        self.emulator.checker.skew = 0
        self.service.settings.limits = False
        self.do_resume()

    def do_seed(self, seed):
        active = self.emulator.faults.active
        self.emulator.faults = Faults(seed)
        self.emulator.faults.active = active

    def do_counters(self, reset=False):
        answer = self.emulator.counters.answer()
        if reset:
            self.emulator.counters.reset()
        return answer

    def do_expire_iterators(self):
        self.service.iterators.expire_all()

    def do_trim(self, stream, before=None, keep=None):
        """Forgets records that arrived before a time (seconds since 1970), or all but the last `keep` of each shard. A
        time also expires shards that were closed before it."""
        found = self.service.named(stream)
        if before is not None:
            found.keep_since(int(before * 1000))
        else:
            for shard in found.shards:
                shard.drop_first(len(shard.rendered) - keep)

    def do_pause(self, stream=None, shard=None):
        self._pause(stream, shard, True)

    def do_resume(self, stream=None, shard=None):
        self._pause(stream, shard, False)

    def _pause(self, stream, shard, paused):
        for found in self.service.streams.values():
            for each in found.shards:
                if stream in (None, found.name) and shard in (None, each.id) and each.paused != paused:
                    each.paused = paused
                    each.changed()

    def do_clock(self, advance):
        """Moves the service's clock (not the one that signatures are checked by) by seconds."""
        self.service.clock.advance(int(advance * 1000))
        self.service.tick()
        for subscription in list(self.service.subscriptions.values()):
            subscription.wakeup.set()

    def do_skew(self, seconds):
        self.emulator.checker.skew = seconds

    def do_settings(self, **words):
        for name, value in words.items():
            if not hasattr(self.service.settings, name):
                raise ValueError(f"no setting is called {name}")
            setattr(self.service.settings, name, value)
        self.service.iterators.ttl = self.service.settings.iterator_ttl

    def do_limits(self, on=True):
        self.service.settings.limits = on

    def do_credentials(self, access_key, secret_key="", session_token=None, expired=False, forget=False):
        if forget:
            self.emulator.checker.known.pop(access_key, None)
        else:
            self.emulator.checker.add(Credentials(access_key, secret_key, session_token, expired))

    def do_deny(self, operations):
        self.emulator.denied = set(operations)

    def do_end_subscriptions(self, stream=None, shard=None, code=None, message="ended by a test", abruptly=False):
        """Ends them in order, with an exception event (`code`), or by closing the connection."""
        for each in list(self.service.subscriptions.values()):
            if stream in (None, each.shard.stream.name) and shard in (None, each.shard.id):
                if abruptly:
                    each.abrupt = True
                    each.close()
                elif code:
                    each.fail(code, message)
                else:
                    each.close()

    def do_records(self, stream, shard=None):
        """All records that are kept, by shard, as GetRecords gives them."""
        shards = [each for each in self.service.named(stream).shards if shard in (None, each.id)]
        return {"shards": {each.id: [json.loads(text) for text in each.rendered] for each in shards}}
