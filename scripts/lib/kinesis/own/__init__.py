"""What only our emulator shows, and what its control channel promises. Each story has an emulator of its own."""
from . import iterators, limits, shards, fanout, signatures, faults, requests, kpl, credentials  # Stories register themselves, in this order.
from .registry import stories
