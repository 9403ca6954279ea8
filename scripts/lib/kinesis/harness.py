"""Runs the cases against a stand-in and compares with what is known of it."""
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions

from . import servers
from .cases import cases
from .client import Deviation, Kinesis, plain
from .deviations import deviations
from .own import stories


def run(function, *arguments):
    """None, or in words how it did not go."""
    try:
        function(*arguments)
    except Deviation as words:
        return str(words)
    except botocore.exceptions.ClientError as error:
        return f"{error.operation_name} is answered {error.response['Error']['Code']}: {plain(error.response['Error']['Message'])}"
    except botocore.exceptions.BotoCoreError as error:
        return f"{type(error).__name__}: {str(error)[:300]}"
    except (KeyError, TypeError, StopIteration, AttributeError, IndexError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} {error} at {where.line}"
    return None


def told(function):
    return function.__name__.replace("_", " ")


def conform(name, server, wanted, used, lines):
    """The number of surprises; what to print goes to `lines`, the operations that were called to `used` (emulator)."""
    kinesis, known = Kinesis(server.url, timeout=5), dict(deviations[name])
    surprises, began, as_documented = 0, time.monotonic(), 0
    for function in cases:
        if wanted and not any(word in function.__name__ for word in wanted):
            continue
        problem, expected = run(function, kinesis), known.get(function.__name__)
        if problem is None and expected is None:
            as_documented += 1
        elif problem is None:
            surprises += 1
            lines.append(f"   {told(function)}: goes as documented now; deviations.py says: {expected}")
        elif expected is None or expected not in problem:
            surprises += 1
            lines.append(f"   {told(function)}: FAILED: {problem}" + (f"; known is: {expected}" if expected else ""))
        elif wanted:
            lines.append(f"   {told(function)}: known deviation: {problem}")
    if name == "emulator":
        used |= set(kinesis.control("counters")["calls"])
    unknown = set(known) - {function.__name__ for function in cases}
    for left in unknown:
        surprises += 1
        lines.append(f"   {left}: listed in deviations.py, but no case has this name")
    lines.append(f"== {name}: {as_documented} as documented, {len(known) - len(unknown)} known deviations, {surprises} surprises, "
                 f"{time.monotonic() - began:.1f} s")
    return surprises


def own(wanted, used, lines):
    """The stories of the emulator alone, each on one of its own. `used` gets the operations that were called."""
    failed, began = 0, time.monotonic()
    chosen = [(function, options) for function, options in stories if not wanted or any(word in function.__name__ for word in wanted)]

    def tell(function, options):
        server = servers.emulator(*options)
        try:
            kinesis = Kinesis(server.url)
            problem = run(function, kinesis)
            return problem, set(kinesis.control("counters")["calls"])
        finally:
            server.stop()

    with ThreadPoolExecutor(2) as threads:
        for (function, _), job in [(each, threads.submit(tell, *each)) for each in chosen]:
            problem, calls = job.result()
            used |= calls
            if problem:
                failed += 1
                lines.append(f"   {told(function)}: FAILED: {problem}")
    lines.append(f"== emulator alone: {len(chosen) - failed} of {len(chosen)} hold, {time.monotonic() - began:.1f} s")
    return failed
