"""How often what was called, and what came of it."""
from collections import Counter


class Counters:
    def __init__(self):
        self.reset()

    def reset(self):
        self.calls, self.errors, self.faults = Counter(), Counter(), Counter()

    def answer(self):
        """`errors` by "operation/code", `faults` by "operation/kind"."""
        return {"calls": dict(self.calls), "errors": dict(self.errors), "faults": dict(self.faults)}
