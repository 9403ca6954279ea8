#!/usr/bin/env python3
"""Starts a stand-in for where machines and containers get credentials, and prints its URL. README.md says what it does.

Sources: EC2 user guide, "Use the Instance Metadata Service" (IMDSv2) and "Spot Instance interruption notices"; EKS user guide, Pod Identity; ECS, task roles.
"""
import argparse
import asyncio
import json
import secrets
import signal
import time

from kinesis_emulator.emulator import Answer
from kinesis_emulator.server import serve

METADATA = "/latest/meta-data/"
MOST_SECONDS = 21_600            # six hours: the longest life of a session token


class Refusal(Exception):
    """An answer without a body but this status."""


class Agent:
    """EC2's metadata service below /latest (version 2 only: every read needs a session token), and below /v1 and /v2 the agents beside containers."""

    def __init__(self, given):
        self.given = given
        self.authorization, self.role, self.region = given.authorization, given.role, given.region
        self.tokens, self.calls, self.spot, self.rebalance = {}, {}, None, None
        self.failing, self.status = 0, 500
        self.rotate(given.access_key, given.secret_key, given.session_token, given.seconds)

    def rotate(self, access_key, secret_key, session_token=None, seconds=3600):
        now = time.time()
        self.credentials = {"AccessKeyId": access_key, "SecretAccessKey": secret_key, "Token": session_token or "", "Expiration": stamp(now + seconds)}
        self.updated = stamp(now)

    def handle(self, method, target, headers, body):
        path = target.split("?")[0]
        try:
            if path == "/_control":
                return reply(self.state() if method == "GET" else self.control(json.loads(body)))
            self.calls[f"{method} {path}"] = self.calls.get(f"{method} {path}", 0) + 1
            if self.failing:
                self.failing -= 1
                raise Refusal(self.status)
            if path == "/latest/api/token":
                return self.session(method, headers)
            return reply(self.find(path, headers))
        except Refusal as refusal:
            return Answer(refusal.args[0], b"", [("Content-Type", "text/plain")])
        except (ValueError, KeyError, TypeError) as error:
            return Answer(400, f"{type(error).__name__}: {error}".encode(), [("Content-Type", "text/plain")])

    def session(self, method, headers):
        if method != "PUT":
            raise Refusal(405)
        if "x-forwarded-for" in headers:
            raise Refusal(403)
        seconds = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not seconds.isdigit() or not 1 <= int(seconds) <= MOST_SECONDS:
            raise Refusal(400)
        token = secrets.token_urlsafe(40)
        self.tokens[token] = time.time() + int(seconds)
        return Answer(200, token.encode(), [("Content-Type", "text/plain"), ("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", seconds)])

    def find(self, path, headers):
        """What is at a path: text, or what becomes JSON."""
        if path.startswith(("/v1/credentials", "/v2/credentials")):
            if self.authorization and headers.get("authorization") != self.authorization:
                raise Refusal(401)
            return self.credentials
        if self.tokens.get(headers.get("x-aws-ec2-metadata-token"), 0) < time.time():
            raise Refusal(401)
        if path == "/latest/dynamic/instance-identity/document":
            return {"region": self.region, "availabilityZone": self.region + "a", "instanceId": "i-0123456789abcdef0"}
        found = self.entries().get(path[len(METADATA):]) if path.startswith(METADATA) else None
        if found is None:
            raise Refusal(404)
        return found

    def entries(self):
        role = "iam/security-credentials/"
        secret = {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": self.updated, **self.credentials}
        roles = {role: self.role, role.rstrip("/"): self.role, role + self.role: secret} if self.role else {}
        return {**roles, "placement/region": self.region, "placement/availability-zone": self.region + "a", "instance-id": "i-0123456789abcdef0",
                "instance-life-cycle": "spot", "spot/instance-action": self.spot, "spot/termination-time": self.spot and self.spot["time"],
                "events/recommendations/rebalance": self.rebalance}

    def state(self):
        return {"calls": self.calls, "tokens": len(self.tokens)}

    def control(self, words):
        do = words.pop("do")
        if do == "rotate":
            self.rotate(**words)
        elif do == "role":
            self.role = words["name"]
        elif do == "spot":
            self.spot = {"action": words.get("action", "terminate"), "time": stamp(time.time() + words.get("seconds", 120))}
        elif do == "rebalance":
            self.rebalance = {"noticeTime": stamp(time.time())}
        elif do == "expire-tokens":
            self.tokens.clear()
        elif do == "fail":
            self.failing, self.status = words.get("times", 1), words.get("status", 500)
        elif do == "clear":
            self.spot = self.rebalance = None
            self.failing = 0
        else:
            raise ValueError(f"nothing is called {do}: clear, expire-tokens, fail, rebalance, role, rotate, spot")
        return {"ok": True}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def reply(found):
    if isinstance(found, str):
        return Answer(200, found.encode(), [("Content-Type", "text/plain")])
    return Answer(200, json.dumps(found).encode(), [("Content-Type", "application/json")])


def main():
    parser = argparse.ArgumentParser(description="Instance metadata (IMDSv2) and container credentials for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--access-key", default="ASIAEXAMPLE")
    parser.add_argument("--secret-key", default="secret")
    parser.add_argument("--session-token", default="token")
    parser.add_argument("--seconds", type=float, default=3600, help="how long the credentials are good")
    parser.add_argument("--role", default="test-role", help="empty: the machine has none")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--authorization", help="what containers must send in Authorization")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(0)))
    try:
        asyncio.run(serve(Agent(given), given.host, given.port, lambda port: print(f"http://{given.host}:{port}", flush=True)))
    except (KeyboardInterrupt, SystemExit):
        pass


if __name__ == "__main__":
    main()
