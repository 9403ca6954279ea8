"""The stand-ins side by side, each in its order of cases."""
from concurrent.futures import ThreadPoolExecutor

from . import harness, servers


def stand_in(name, wanted):
    lines, server = [], None
    try:
        server = servers.started[name]()
        return harness.conform(name, server, wanted, lines), lines
    except RuntimeError as error:
        return 1, [*lines, f"== {name}: {error}"]
    finally:
        if server is not None:
            server.stop()


def main(arguments):
    """The number of surprises."""
    which, wanted = (arguments[0], arguments[1:]) if arguments[:1] and arguments[0] in (*servers.started, "all") else ("all", arguments)
    chosen = list(servers.started) if which == "all" else [which]
    surprises = 0
    with ThreadPoolExecutor(len(chosen) + 1) as threads:
        for found, lines in [job.result() for job in [threads.submit(stand_in, name, wanted) for name in chosen]]:
            surprises += found
            print("\n".join(lines), flush=True)
    print("conforms" if not surprises else f"{surprises} surprises", flush=True)
    return surprises
