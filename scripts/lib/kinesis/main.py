"""The stand-ins side by side, each in its order of cases."""
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from . import harness, servers


def stand_in(name, wanted, used):
    lines, server = [], None
    try:
        server = servers.started[name]()
        return harness.conform(name, server, wanted, used, lines), lines
    except RuntimeError as error:
        return 1, [*lines, f"== {name}: {error}"]
    finally:
        if server is not None:
            server.stop()


def operations():
    """What the emulator says that it can do."""
    server = servers.emulator()
    try:
        with urllib.request.urlopen(server.url + "/_control") as answer:
            return set(json.load(answer)["operations"])
    finally:
        server.stop()


def main(arguments):
    """The number of surprises."""
    which, wanted = (arguments[0], arguments[1:]) if arguments[:1] and arguments[0] in (*servers.started, "all") else ("all", arguments)
    chosen = list(servers.started) if which == "all" else [which]
    surprises, used = 0, set()

    def alone():
        lines = []
        return harness.own(wanted, used, lines), lines

    with ThreadPoolExecutor(len(chosen) + 1) as threads:
        jobs = [threads.submit(stand_in, name, wanted, used) for name in chosen]
        if "emulator" in chosen:
            jobs.append(threads.submit(alone))
        for found, lines in [job.result() for job in jobs]:
            surprises += found
            print("\n".join(lines), flush=True)
    if "emulator" in chosen and not wanted and (unused := operations() - used):
        surprises += 1
        print(f"boto3 has not used: {', '.join(sorted(unused))}")
    print("conforms" if not surprises else f"{surprises} surprises", flush=True)
    return surprises
