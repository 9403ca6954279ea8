"""From a request's bytes to an answer's: operation, signature, faults, errors."""
import json
import os
import traceback
import uuid
from email.utils import formatdate

from .control import Control
from .counters import Counters
from .errors import ServiceError
from .faults import Faults
from .service import OPERATIONS, Service
from .signature import Checker
from .subscription import Subscription

JSON = "application/x-amz-json-1.1"
TARGET = "Kinesis_20131202."


class Answer:
    """What the connection is to do: send `body` after `seconds`, or follow `subscription`, or (`how`) misbehave."""

    def __init__(self, status, body, headers=(), seconds=0, how="send", subscription=None):
        self.status, self.body, self.headers = status, body, list(headers)
        self.seconds, self.how, self.subscription = seconds, how, subscription


class Emulator:
    def __init__(self, settings=None, clock=None, seed=1):
        self.service = Service(settings, clock)
        self.checker = Checker(self.service.settings.region)
        self.faults, self.counters, self.denied = Faults(seed), Counters(), set()
        self.control = Control(self)

    def handle(self, method, target, headers, body):
        """Header names are lower case. Answers an `Answer`."""
        if target.split("?")[0] == "/_control":
            return self._control(method, body)
        operation = headers.get("x-amz-target", "")
        operation = operation[len(TARGET):] if operation.startswith(TARGET) else None
        self.counters.calls[operation or "?"] += 1
        try:
            answer = self._call(operation, method, target, headers, body)
        except ServiceError as error:
            answer = self._refusal(operation, error)
        except Exception:                                  # A mistake of ours, or a form that no check knows.
            traceback.print_exc()
            answer = self._refusal(operation, ServiceError("InternalFailure", "Internal service failure.", 500))
        clock = self.service.now() / 1000 + self.checker.skew
        answer.headers += [("Date", formatdate(clock, usegmt=True)), ("x-amzn-RequestId", str(uuid.uuid4())), ("x-amz-id-2", os.urandom(24).hex())]
        return answer

    def _call(self, operation, method, target, headers, body):
        if method != "POST":
            raise ServiceError("AccessDeniedException", "Unable to determine service/operation name to be authorized", 403)
        if headers.get("content-type", "").split(";")[0].strip() != JSON:
            raise ServiceError("UnknownOperationException", None, 404)
        if operation not in OPERATIONS:
            raise ServiceError("UnknownOperationException")
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise ServiceError("SerializationException")
        self.checker.check(method, target, headers, body)
        if operation in self.denied:
            account, region = self.service.settings.account, self.service.settings.region
            raise ServiceError("AccessDeniedException", f"User: arn:aws:iam::{account}:user/test is not authorized to perform: kinesis:{operation} on "
                                                        f"resource: arn:aws:kinesis:{region}:{account}:stream/{request.get('StreamName', '*')} because "
                                                        "no identity-based policy allows the action")
        fault = self.faults.active and self.faults.firing(operation, *self._subject(request))
        if not fault:
            return self._answer(self.service.call(operation, request))
        self.counters.faults[f"{operation}/{fault.kind}"] += 1
        return self._disturbed(fault, operation, request)

    def _disturbed(self, fault, operation, request):
        if fault.kind == "error":
            raise fault.error()
        if fault.kind == "drop":
            return Answer(0, b"", how="drop")
        if fault.kind == "partial":
            request["_refused"] = fault.refusal(self.faults.chance)
        if fault.kind == "empty":
            request["_empty"] = True
        answer = self._answer(self.service.call(operation, request))
        if fault.kind == "late-error":
            if answer.subscription:
                answer.subscription.forget()
            raise fault.error()
        if fault.kind == "delay":
            answer.seconds = fault.seconds
        if fault.kind in ("lost-answer", "hang", "cut"):
            answer.how = "drop" if fault.kind == "lost-answer" else fault.kind
        return answer

    def _answer(self, result):
        if isinstance(result, Subscription):
            return Answer(200, b"", [("Content-Type", "application/vnd.amazon.eventstream")], subscription=result)
        body = b"" if result is None else result.encode() if isinstance(result, str) else json.dumps(result).encode()
        return Answer(200, body, [("Content-Type", JSON)])

    def _refusal(self, operation, error):
        self.counters.errors[f"{operation}/{error.code}"] += 1
        return Answer(error.status, json.dumps(error.body()).encode(), [("Content-Type", JSON), ("x-amzn-ErrorType", error.code)])

    def _subject(self, request):
        """(stream name, shard id) that a request is about, as far as it says."""
        shard, stream = request.get("ShardId"), request.get("StreamName") or next(
            (request[name].split(":stream/", 1)[-1].split("/")[0] for name in ("StreamARN", "ConsumerARN") if name in request), None)
        if "ShardIterator" in request:
            try:
                _, stream, _, index, *_ = self.service.seal.unpack(request["ShardIterator"])
                shard = f"shardId-{index:012d}"
            except (ValueError, TypeError):
                pass
        return stream, shard

    def _control(self, method, body):
        try:
            status, answer = 200, self.control.state() if method == "GET" else self.control.handle(json.loads(body))
        except ServiceError as error:
            status, answer = 400, error.body()
        except (ValueError, KeyError, TypeError) as error:
            status, answer = 400, {"error": f"{type(error).__name__}: {error}"}
        return Answer(status, json.dumps(answer).encode(), [("Content-Type", "application/json")])
