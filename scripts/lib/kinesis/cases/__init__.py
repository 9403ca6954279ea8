"""What every stand-in is held against: the service's documented behaviour (API reference 2013-12-02), as boto3 sees it."""
from . import streams, puts, reads, reshards, fanout  # Cases register themselves, in this order.
from .registry import cases
