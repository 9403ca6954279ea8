"""Rows of the stock-ticker job with their answer, and the job's SQL."""
import os
import random


class Ticks:
    """`rows` ticks in files of `rows_a_file` below `folder`, the same bytes for the same arguments, and the lines that the job must give.

    Row i is at 10:00:00 + 1.08 ms * i - U[0, 1999] ms, so never late for a watermark of -2 s. The answer is a dictionary filled
    row by row: no windows of ours in it.
    """

    def __init__(self, folder, rows, tickers, rows_a_file, seed=20261122):
        self.folder, self.rows, self.files = folder, rows, 0
        chance = random.Random(seed)
        os.makedirs(folder)
        highest = {}
        names = [f"T{number:05d}" for number in range(tickers)]
        for first in range(0, rows, rows_a_file):
            lines = []
            for row in range(first, min(first + rows_a_file, rows)):
                time = max(0, row * 108 // 100 - int(chance.random() * 2000))
                ticker, cents = names[int(chance.random() * tickers)], 10_000 + int(chance.random() * 90_000)
                lines.append(f'{{"EVENT_TIME":"{clock(time // 1000)}.{time % 1000:03d}","TICKER":"{ticker}","PRICE":{cents // 100}.{cents % 100:02d},"ID":"{row:012x}"}}\n')
                pane = time // 5000 * 5
                for key in ((pane, ticker), (pane - 5, ticker)):
                    if highest.get(key, 0) < cents:
                        highest[key] = cents
            with open(os.path.join(folder, f"ticks-{self.files:04d}.jsonl"), "w") as file:
                file.write("".join(lines))
            self.files += 1
        self.answer = sorted(
            f'"{clock(start)}","{clock(start + 10)}",{ticker},{cents / 100!r}' for (start, ticker), cents in highest.items())


def clock(seconds, known={}):
    """Seconds after 10:00:00 of the day, as text; also negative."""
    if seconds not in known:
        of_day = 36_000 + seconds
        known[seconds] = f"2026-11-22 {of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
    return known[seconds]


SQL = """{settings}CREATE TABLE ticks (
  EVENT_TIME TIMESTAMP(3), TICKER STRING, PRICE DOUBLE, ID STRING,
  WATERMARK FOR EVENT_TIME AS EVENT_TIME - INTERVAL '2' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{source}', 'format' = 'json'{options});
CREATE TABLE highest (
  window_start TIMESTAMP(3), window_end TIMESTAMP(3), TICKER STRING, max_price DOUBLE
) WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv');
INSERT INTO highest
SELECT window_start, window_end, TICKER, MAX(PRICE)
FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(EVENT_TIME), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end, TICKER;
"""


def script(path, source, output, rate=None, settings=(), options=()):
    """Writes the job's script to `path`; `rate` in rows a second, `settings` and table `options` as (key, value)."""
    options = [*options, *([("scan.rows-per-second", rate)] if rate else [])]
    with open(path, "w") as file:
        file.write(SQL.format(
            source=source, output=output, settings="".join(f"SET '{key}' = '{value}';\n" for key, value in settings),
            options="".join(f", '{key}' = '{value}'" for key, value in options)))
    return path


def committed(folder):
    """The lines of all files that have their names, sorted."""
    lines = []
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if not name.startswith((".", "_")):
            with open(os.path.join(folder, name)) as file:
                lines += file.read().splitlines()
    return sorted(lines)


def hidden(folder):
    """Names of files that are still being written, or wait for their checkpoint."""
    return sorted(name for name in os.listdir(folder) if name.startswith(".")) if os.path.isdir(folder) else []


def difference(should, lines):
    """Nil when the lists are equal, else words."""
    if lines == should:
        return None
    missing, extra = sorted(set(should) - set(lines)), sorted(set(lines) - set(should))
    return (f"{len(lines)} lines instead of {len(should)}: {len(missing)} missing {missing[:3]}, {len(extra)} too much {extra[:3]},"
            f" {len(lines) - len(set(lines))} doubled")
