"""The actions that docs/aws.md lists are those that are asked for."""
import os
import re
import subprocess
import time

import cluster as local
from cluster import wait

from clustertests import ticks
from clustertests.harness import check, say, story

from . import clouds, proxy
from .kinesis import Stream, rows
from .sink import COPY, lines, settings

S3 = {"UploadPart": "PutObject", "CreateMultipartUpload": "PutObject", "CompleteMultipartUpload": "PutObject", "HeadObject": "GetObject",
      "ListObjectsV2": "ListBucket", "ListMultipartUploads": "ListBucketMultipartUploads", "ListParts": "ListMultipartUploadParts"}


def documented():
    """{what is done: its actions}"""
    with open(os.path.join(local.top, "docs", "aws.md")) as file:
        table = file.read().split("## What the credentials must permit")[1].split("\n## ")[0]
    found = {}
    for line in table.splitlines():
        actions = re.findall(r"`((?:s3|kinesis):\w+)`", line)
        if line.startswith("| ") and actions:
            found[line.split("|")[1].strip()] = set(actions)
    return found


def compare(used, *what):
    table = documented()
    allowed = set().union(*(table[name] for name in what))
    check(used, f"{what}: nothing was asked for")
    check(used <= allowed, f"{what}: {sorted(used - allowed)} are asked for and not documented")
    say(f"{', '.join(what)}: {len(used)} of {len(allowed)} actions used" + (f", not {', '.join(sorted(allowed - used))}" if allowed - used else ""))


def of_stream(stream):
    used = {f"kinesis:{name}" for name in stream.control("counters")["calls"]}
    stream.control("counters", reset=True)
    return used


def of_bucket(front):
    used = {f"s3:{S3.get(name, name)}" for name, _ in front.counts}
    front.counts.clear()
    return used


def run(environment, *arguments):
    result = subprocess.run([local.swiftwater, *arguments], capture_output=True, text=True, timeout=120, env=environment)
    check(result.returncode == 0, f"{arguments[0]} ended with {result.returncode}: {result.stdout}{result.stderr}")
    return result.stdout


@story
def only_actions_that_are_documented_are_asked_for(place):
    stream, count = Stream(place, 2), 60_000
    data = ticks.Ticks(place.path("ticks"), rows=count, tickers=20, rows_a_file=20_000)
    with proxy.FaultProxy(place.clouds.s3().url) as front:
        environment = place.environment(AWS_ENDPOINT_URL_S3=front.url)
        recovery, output = f"s3://{place.bucket}/recovery", f"s3://{place.bucket}/out"
        # Writing files: the checkpoints are elsewhere.
        script = place.write("copy.sql", COPY.format(
            settings=settings(place), source=data.folder, rate=20_000, output=output, options="'s3.upload.min.part.size' = '5mb', 'sink.rolling-policy.file-size' = '6mb'"))
        cluster = place.cluster(taskmanagers=1, slots=2, environment=environment, settings=[f"execution.checkpointing.dir={place.path('checkpoints')}"])
        job = cluster.submit(script)
        wait(lambda: cluster.completed(job) > 3, 30, "checkpoints")
        os.kill(cluster.processes()["taskmanager-1"], 9)
        cluster.add()
        check(cluster.ended(job, 90)["state"] == "FINISHED", "the copy")
        compare(of_bucket(front), "writing files")
        run(environment, "verify", output)
        compare(of_bucket(front), "`swiftwater verify`")
        script = place.write("merged.sql", COPY.format(
            settings=settings(place), source=data.folder, rate=60_000, output=f"s3://{place.bucket}/merged", options="'auto-compaction' = 'true', 's3.upload.min.part.size' = '40mb'"))
        check(cluster.ended(cluster.submit(script), 90)["state"] == "FINISHED", "the copy that merges")
        compare(of_bucket(front), "writing files that are merged")
        cluster.stop()
        # Checkpoints, savepoints, and a stream that is read in both ways.
        cluster = place.cluster(taskmanagers=1, slots=2, environment=environment, settings=[f"execution.checkpointing.dir={recovery}"])
        stream.put(rows(range(1_000)))
        of_stream(stream)
        for name, options in (("polling", {}), ("enhanced fan-out", {"source.reader.type": "EFO", "source.efo.consumer.name": "swiftwater"})):
            script = place.write("read.sql", settings(place) + stream.table("input", "id BIGINT, `key` STRING", **options)
                                 + "CREATE TABLE output (`key` STRING, n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO output SELECT `key`, COUNT(*) FROM input GROUP BY `key`;")
            job = cluster.submit(script)
            wait(lambda: cluster.completed(job) > 3, 30, "checkpoints")
            cluster.client("stop", job, "-p", f"s3://{place.bucket}/savepoints")
            compare(of_stream(stream), f"reading a stream by {name}")
        compare(of_bucket(front), "checkpoints and savepoints")
        savepoint = next(key for key in place.keys("savepoints/") if key.endswith("/_metadata"))
        run(environment, "savepoint", "-d", f"s3://{place.bucket}/{savepoint.rsplit('/', 1)[0]}", "-D", f"execution.checkpointing.dir={recovery}")
        compare(of_bucket(front), "`swiftwater savepoint --dispose`")
        # Reading files, writing to a stream.
        cluster.stop()
        cluster = place.cluster(taskmanagers=1, slots=2, environment=environment)
        sink = stream.table("output", "TICKER STRING, ID STRING", **{"source.init.position": None, "source.shard.discovery.interval": None})
        script = place.write("write.sql", f"CREATE TABLE input (TICKER STRING, ID STRING, FILLER STRING) WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv');"
                             + sink + "INSERT INTO output SELECT TICKER, ID FROM input;")
        check(cluster.ended(cluster.submit(script), 90)["state"] == "FINISHED", "the rows put into the stream")
        compare(of_bucket(front), "reading files")
        compare(of_stream(stream), "writing to a stream")
    template = place.write("t.json", '{"key": "{{random.number({"min":1,"max":9})}}"}')
    run(environment, "datagen", "--template", template, "--stream", "ticks", "--region", clouds.REGION, "--endpoint", stream.url, "--rate", "1000", "--rows", "500")
    compare(of_stream(stream), "`swiftwater datagen --stream`")


@story
def what_was_never_allowed_ends_the_job_whatever_its_restart_strategy(place):
    """SeaweedFS: a user who may only read. The same holds for a host without an address."""
    data = ticks.Ticks(place.path("ticks"), rows=1_000, tickers=5, rows_a_file=1_000)
    script = place.write("copy.sql", COPY.format(
        settings=settings(place), source=data.folder, rate=1_000_000, output=f"s3://{place.bucket}/out", options="'sink.commit-list.enabled' = 'true'"))
    cluster = place.cluster(taskmanagers=1, slots=2, environment=place.environment(keys=clouds.READER))
    job = cluster.submit(script)
    state, words = cluster.ended(job, 90), cluster.root_exception(job) or ""
    check(state["state"] == "FAILED" and state["restarts"] == 0, f"denied: {state['state']} after {state['restarts']} restarts, {words[:300]}")
    check("AccessDenied" in words and "not permitted" in words, f"denied is told as: {words[:300]}")
    cluster.stop()
    environment = place.environment()
    environment.pop("AWS_ENDPOINT_URL_S3")
    cluster = place.cluster(taskmanagers=1, slots=2, environment=environment)
    script = place.write("nowhere.sql", settings(place) + """
        CREATE TABLE input (id BIGINT) WITH ('connector' = 'kinesis', 'stream' = 'ticks', 'aws.region' = 'eu-nowhere-1', 'aws.endpoint' = 'https://kinesis.eu-nowhere-1.invalid', 'format' = 'json');
        CREATE TABLE output (id BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO output SELECT id FROM input;""")
    job = cluster.submit(script)
    state, words = cluster.ended(job, 90), cluster.root_exception(job) or ""
    check(state["state"] == "FAILED" and state["restarts"] == 0, f"no such host: {state['state']} after {state['restarts']} restarts, {words[:300]}")
    check("eu-nowhere-1" in words and "UnknownHost" in words and "https://kinesis.eu-nowhere-1.invalid" in words, f"no such host is told as: {words[:300]}")
    say(words.strip().splitlines()[0][:300])


@story
def what_is_denied_after_it_was_allowed_is_a_failure_like_others_for_streams_and_buckets(place):
    """15 s of patience, then the restart strategy decides; the job goes on when the permission is back. The same for both."""
    stream = Stream(place, 1)
    with proxy.FaultProxy(place.clouds.s3().url) as front:
        cluster = place.cluster(taskmanagers=1, slots=2, environment=place.environment(AWS_ENDPOINT_URL_S3=front.url))
        output = f"s3://{place.bucket}/out"
        more = (("restart-strategy.fixed-delay.delay", "1 s"), ("execution.checkpointing.tolerable-failed-checkpoints", "1000"))
        job = cluster.submit(place.write("copy.sql", settings(place, *more) + stream.table("input", "id BIGINT, `key` STRING", **{"source.reader.empty-records-fetch-interval": "100 ms"}) + f"""
            CREATE TABLE output (id BIGINT, `key` STRING) WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv', 'sink.rolling-policy.rollover-interval' = '500 ms',
                'sink.rolling-policy.check-interval' = '100 ms');
            INSERT INTO output SELECT id, `key` FROM input;"""))
        count = 0

        def passes():
            nonlocal count
            stream.put(rows(range(count, count + 100)))
            count += 100
            wait(lambda: len(numbers()) >= count, 60, f"row {count}: {cluster.root_exception(job)}")

        def numbers():
            return [int(line.split(",")[0]) for line in lines(place, "out/")]

        passes()
        waited = {}
        for what, deny, allow in (
                ("a stream", lambda: stream.control("fault", kind="error", operation="GetRecords", percent=100, code="AccessDeniedException"), lambda: stream.control("clear")),
                ("a bucket", lambda: setattr(front, "denied", ("PutObject", "CreateMultipartUpload", "UploadPart")), lambda: setattr(front, "denied", ()))):
            before, began = cluster.state(job)["restarts"], time.monotonic()
            deny()
            if what == "a bucket":
                stream.put(rows(range(count, count + 100)))
                count += 100
            wait(lambda: cluster.state(job)["restarts"] > before, 60, f"a restart because {what} is denied")
            waited[what] = time.monotonic() - began
            words = cluster.root_exception(job) or ""
            check("AccessDenied" in words and "not permitted" in words, f"{what}: {words[:300]}")
            allow()
            passes()
        check(sorted(numbers()) == list(range(count)), f"{len(numbers())} of {count} rows")
        check(all(seconds > 13 for seconds in waited.values()), f"what is denied is asked for again for 15 s: {waited}")
        say(", ".join(f"{what} denied: a restart after {seconds:.0f} s" for what, seconds in waited.items()))
