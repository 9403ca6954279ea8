"""Where cases register themselves."""
INVALID = ("InvalidArgumentException", "ValidationException")
cases = []


def case(function):
    """A check that every stand-in is held against; it gets a `Kinesis`. Its name is its story, and its key in deviations.py."""
    cases.append(function)
    return function
