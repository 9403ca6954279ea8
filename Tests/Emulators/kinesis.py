#!/usr/bin/env python3
"""Starts the Kinesis emulator and prints its URL. README.md says what it does and how tests steer it."""
import argparse
import asyncio
import gc
import signal
import ssl

from kinesis_emulator.emulator import Emulator
from kinesis_emulator.server import serve
from kinesis_emulator.service import Clock, Settings
from kinesis_emulator.signature import Credentials


def arguments():
    parser = argparse.ArgumentParser(description="Kinesis Data Streams for tests, in memory.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: one that is free (the printed URL has it)")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--access-key", help="with --secret-key: check signatures; without: do not")
    parser.add_argument("--secret-key")
    parser.add_argument("--session-token")
    parser.add_argument("--iterator-ttl", type=float, default=300, metavar="SECONDS")
    parser.add_argument("--state-delay", type=float, default=0, metavar="SECONDS", help="how long streams and consumers stay CREATING, UPDATING, DELETING")
    parser.add_argument("--heartbeat", type=float, default=1, metavar="SECONDS", help="an idle subscription gets an empty event this often")
    parser.add_argument("--subscription", type=float, default=300, metavar="SECONDS", help="how long a subscription lasts")
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="speak TLS with these files")
    parser.add_argument("--limits", action="store_true", help="throttle shards as the service does")
    parser.add_argument("--clock", default="+0", metavar="+SECONDS|@SECONDS",
                        help="+: ahead of the machine's clock; @: stands at this time since 1970 until told to move")
    parser.add_argument("--seed", type=int, default=1, help="of the faults' chance")
    parser.add_argument("--stream", action="append", default=[], metavar="NAME[:SHARDS]", help="create it at the start (may be repeated)")
    return parser.parse_args()


def main():
    given = arguments()
    settings = Settings()
    settings.region, settings.limits = given.region, given.limits
    settings.iterator_ttl, settings.state_delay = int(given.iterator_ttl * 1000), int(given.state_delay * 1000)
    settings.heartbeat, settings.subscription = int(given.heartbeat * 1000), int(given.subscription * 1000)
    at = int(float(given.clock[1:]) * 1000)
    emulator = Emulator(settings, Clock(frozen_at=at) if given.clock.startswith("@") else Clock(offset=at), given.seed)
    if given.access_key:
        emulator.checker.add(Credentials(given.access_key, given.secret_key or "", given.session_token))
    for stream in given.stream:
        name, _, shards = stream.partition(":")
        emulator.service.call("CreateStream", {"StreamName": name, "ShardCount": int(shards or 1)})
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(0)))
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)      # Records are flat text: nothing of theirs is ever a cycle.
    tls = None
    if given.tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*given.tls)
    try:
        asyncio.run(serve(emulator, given.host, given.port, lambda port: print(f"http{'s' if tls else ''}://{given.host}:{port}", flush=True), tls))
    except (KeyboardInterrupt, SystemExit):
        pass


if __name__ == "__main__":
    main()
