#!/usr/bin/env python3
"""Writes the benchmark's input: stock ticks as JSON lines, the same bytes for the same arguments.

usage: ticks.py FILE [--rows 10000000] [--tickers 5] [--swapped]
Row i: EVENT_TIME = 2026-11-22 10:00:00 + 1.08 ms * i - U[0, 1999] ms, not before 10:00:00, so never late for a watermark of -2 s.
--tickers 5 takes ABCD, CDEF, IJKL, MNOP, QRST, any other number T00000 and up. --swapped: other key order and two fields more.
"""
import argparse
import os

import numpy as np

options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("file")
options.add_argument("--rows", type=int, default=10_000_000)
options.add_argument("--tickers", type=int, default=5)
options.add_argument("--swapped", action="store_true")
options.add_argument("--seed", type=int, default=20261122)
arguments = options.parse_args()

CHUNK = 500_000
NAMES = np.frombuffer(b"ABCDCDEFIJKLMNOPQRST", np.uint8).reshape(5, 4)


def digits(values, width):
    """Decimal digits of non-negative integers, one row each, zero filled."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (values[:, None] // powers % 10 + 48).astype(np.uint8)


def text(count, literal):
    return np.broadcast_to(np.frombuffer(literal.encode(), np.uint8), (count, len(literal)))


def event_times(milliseconds):
    """2026-11-22 HH:MM:SS.mmm of milliseconds after 10:00:00 (within the day)."""
    count = len(milliseconds)
    of_day = milliseconds + 10 * 3_600_000
    return np.hstack([
        text(count, "2026-11-22 "), digits(of_day // 3_600_000, 2), text(count, ":"), digits(of_day // 60_000 % 60, 2), text(count, ":"),
        digits(of_day // 1_000 % 60, 2), text(count, "."), digits(of_day % 1_000, 3)])


with open(arguments.file + ".part", "wb") as file:
    for start in range(0, arguments.rows, CHUNK):
        count = min(CHUNK, arguments.rows - start)
        chance = np.random.Generator(np.random.PCG64([arguments.seed, start]))
        rows = np.arange(start, start + count, dtype=np.int64)
        when = event_times(np.maximum(0, rows * 108 // 100 - chance.integers(0, 2000, count)))
        if arguments.tickers == 5:
            ticker = NAMES[chance.integers(0, 5, count)]
        else:
            ticker = np.hstack([text(count, "T"), digits(chance.integers(0, arguments.tickers, count), 5)])
        cents = chance.integers(10_000, 100_000, count)
        price = np.hstack([digits(cents // 100, 3), text(count, "."), digits(cents % 100, 2)])
        identity = np.frombuffer(b"0123456789abcdef", np.uint8)[chance.integers(0, 16, (count, 12))]
        if arguments.swapped:
            parts = ["{\"VENUE\":\"XNAS\",\"ID\":\"", identity, "\",\"PRICE\":", price, ",\"TICKER\":\"", ticker, "\",\"SIZE\":100,\"EVENT_TIME\":\"", when, "\"}\n"]
        else:
            parts = ["{\"EVENT_TIME\":\"", when, "\",\"TICKER\":\"", ticker, "\",\"PRICE\":", price, ",\"ID\":\"", identity, "\"}\n"]
        lines = np.hstack([text(count, part) if isinstance(part, str) else part for part in parts])
        # JSON has no trailing-zero rule, but the columns print as doubles: 712.30 is 712.3 for every reader.
        file.write(lines.tobytes())
os.rename(arguments.file + ".part", arguments.file)
