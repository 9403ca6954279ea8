"""Where stories register themselves."""
import time

from ..client import check

stories = []
KEYS = ("--access-key", "AKIDEXAMPLE", "--secret-key", "secret")


def story(*options):
    """A check that gets the `Kinesis` of an emulator started with these options."""
    def mark(function):
        stories.append((function, options))
        return function
    return mark


def collected(events, until, seconds=10):
    """Events until `until(event)`; as a list."""
    found, deadline = [], time.monotonic() + seconds
    for each in events:
        found.append(each["SubscribeToShardEvent"])
        if until(found[-1]):
            return found
        check(time.monotonic() < deadline, "it does not come")
    return found
