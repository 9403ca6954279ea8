#!/usr/bin/env python3
"""The stock-ticker job, evaluated naively: one pass over the rows, a dictionary, no Swiftwater in it.

usage: naive.py INPUT-FOLDER OUTPUT-FOLDER
Compares what the job committed, byte for byte as sorted lines, with what the rows in INPUT-FOLDER should give.
"""
import datetime
import json
import os
import re
import sys


def visible_files(folder):
    """Files that are whole: hidden ones are still being written, or await their checkpoint."""
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                yield os.path.join(base, name)


def seconds_of(text, known={}):
    """'Sunday, November 22nd 2026, 11:04:39 am' as seconds since 1970."""
    if text not in known:
        plain = re.sub(r"(\d)(st|nd|rd|th)", r"\1", text)
        time = datetime.datetime.strptime(plain, "%A, %B %d %Y, %I:%M:%S %p").replace(tzinfo=datetime.timezone.utc)
        known[text] = int(time.timestamp())
    return known[text]


def expected(folder):
    """(rows, lines): every row counts in the two windows of 10 seconds, sliding by 5, that it lies in."""
    windows, rows = {}, 0
    for path in visible_files(folder):
        with open(path, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                rows += 1
                time, price = seconds_of(row["EVENT_TIME"]), float(row["PRICE"])
                last = time - time % 5
                for start in (last, last - 5):
                    key = (start, row["TICKER"])
                    held = windows.get(key)
                    windows[key] = (max(held[0], price), held[1] + 1) if held else (price, 1)

    def text(seconds):
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")

    return rows, sorted(
        f'"{text(start)}","{text(start + 10)}",{ticker},{highest:.1f},{count}' for (start, ticker), (highest, count) in windows.items())


def committed(folder):
    """(files, lines) that the job has made visible."""
    lines, files = [], 0
    for path in visible_files(folder):
        files += 1
        with open(path, encoding="utf-8") as file:
            lines += file.read().splitlines()
    return files, sorted(lines)


def compare(inputs, outputs):
    """(holds, words)"""
    rows, should = expected(inputs)
    files, lines = committed(outputs)
    counted = sum(int(line.rsplit(",", 1)[1]) for line in lines)
    words = [
        f"{rows:,} rows were generated, each of which lies in two windows: {2 * rows:,} to count.",
        f"{counted:,} were counted, in {len(lines):,} committed results ({files} files).",
    ]
    if lines == should:
        return True, words + [f"All {len(should):,} results equal the naive evaluation's, byte for byte."]
    missing, extra = sorted(set(should) - set(lines)), sorted(set(lines) - set(should))
    doubled = len(lines) - len(set(lines))
    words.append(f"THE RESULTS DIFFER: {len(missing)} are missing, {len(extra)} should not be there, {doubled} are there twice.")
    words += [f"  missing:  {line}" for line in missing[:5]] + [f"  too much: {line}" for line in extra[:5]]
    return False, words


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    holds, words = compare(*sys.argv[1:])
    print("\n".join(words))
    sys.exit(not holds)
