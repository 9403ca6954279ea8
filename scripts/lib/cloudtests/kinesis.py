"""A Kinesis stream (the emulator) read and written by real clusters, with boto3 at its other end."""
import base64
import hashlib
import json
import os
import random
import re
import signal
import ssl
import subprocess
import threading
import time
import urllib.request

import cluster as local
from cluster import wait

from clustertests import ticks
from clustertests.harness import check, say, story

from . import clouds


class Stream:
    """An emulator of this story's own, with one stream. `certificate`, `key`: it speaks TLS with these files."""

    def __init__(self, place, shards=3, *options, certificate=None, key=None):
        self.tls = ssl.create_default_context(cafile=certificate) if certificate else None
        if certificate:
            options = (*options, "--tls", certificate, key)
        emulator = os.path.join(local.top, "Tests", "Emulators", "kinesis.py")
        self.process = place.start(
            os.path.join(clouds.venv, "bin", "python"), emulator, "--region", clouds.REGION, "--access-key", clouds.ADMIN[0], "--secret-key", clouds.ADMIN[1],
            "--stream", f"ticks:{shards}", *options)
        self.url = self.process.stdout.readline().strip()
        check(self.url.startswith("http"), "the emulator did not start")
        self.boto = clouds.client(self.url, "kinesis", **({"verify": certificate} if certificate else {}))
        self.name = "ticks"

    def control(self, do, **words):
        request = urllib.request.Request(self.url + "/_control", json.dumps({"do": do, **words}).encode())
        with urllib.request.urlopen(request, timeout=10, context=self.tls) as answer:
            return json.load(answer)

    def control_state(self):
        with urllib.request.urlopen(self.url + "/_control", timeout=10, context=self.tls) as answer:
            return json.load(answer)

    def put(self, rows):
        """Rows are dictionaries with a `key`; the emulator may refuse some: they are put again."""
        entries = [{"Data": json.dumps(row).encode(), "PartitionKey": str(row["key"])} for row in rows]
        for at in range(0, len(entries), 500):
            batch = entries[at:at + 500]
            while batch:
                answer = self.boto.put_records(StreamName=self.name, Records=batch)
                batch = [entry for entry, result in zip(batch, answer["Records"]) if "ErrorCode" in result]

    def shards(self):
        """Those that are open."""
        found = self.boto.list_shards(StreamName=self.name)["Shards"]
        return [shard for shard in found if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]

    def split(self):
        shard = max(self.shards(), key=lambda each: int(each["HashKeyRange"]["EndingHashKey"]) - int(each["HashKeyRange"]["StartingHashKey"]))
        middle = (int(shard["HashKeyRange"]["StartingHashKey"]) + int(shard["HashKeyRange"]["EndingHashKey"])) // 2 + 1
        self.boto.split_shard(StreamName=self.name, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle))

    def merge(self):
        one, two = sorted(self.shards(), key=lambda each: int(each["HashKeyRange"]["StartingHashKey"]))[:2]
        self.boto.merge_shards(StreamName=self.name, ShardToMerge=one["ShardId"], AdjacentShardToMerge=two["ShardId"])

    def records(self):
        """[(shard, data)] of everything that the stream holds."""
        found = self.control("records", stream=self.name)["shards"]
        return [(shard, base64.b64decode(record["Data"])) for shard, records in sorted(found.items()) for record in records]

    def table(self, name, columns, **options):
        given = {"connector": "kinesis", "stream": self.name, "aws.region": clouds.REGION, "aws.endpoint": self.url, "format": "json",
                 "source.init.position": "TRIM_HORIZON", "source.shard.discovery.interval": "1 s", **options}
        given = {key: value for key, value in given.items() if value}
        return f"CREATE TABLE {name} ({columns}) WITH ({', '.join(f'''{chr(39)}{key}{chr(39)} = {chr(39)}{value}{chr(39)}''' for key, value in given.items())});"


def environment():
    """Credentials, and nothing else of AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"AWS_ACCESS_KEY_ID": clouds.ADMIN[0], "AWS_SECRET_ACCESS_KEY": clouds.ADMIN[1], "AWS_EC2_METADATA_DISABLED": "true",
                   "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}


def cluster_of(place, taskmanagers, slots):
    return place.cluster(taskmanagers, slots, environment=environment())


def rows(numbers, keys=200):
    return [{"id": number, "key": f"k{number % keys}", "ms": 1_700_000_000_000 + number} for number in numbers]


def folder(name, columns, path):
    return f"CREATE TABLE {name} ({columns}) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');"


SETTINGS = "SET 'parallelism.default' = '3'; SET 'execution.checkpointing.interval' = '300 ms'; SET 'restart-strategy.type' = 'fixed-delay';" \
    " SET 'restart-strategy.fixed-delay.attempts' = '1000'; SET 'restart-strategy.fixed-delay.delay' = '200 ms';"


def copying(place, stream, /, **options):
    """A script that copies the stream into a folder."""
    options.setdefault("source.reader.empty-records-fetch-interval", "50 ms")
    output = place.path("out")
    script = place.write("copy.sql", "\n".join([
        SETTINGS, stream.table("input", "id BIGINT, `key` STRING", **options), folder("output", "id BIGINT, `key` STRING", output),
        "INSERT INTO output SELECT id, `key` FROM input;"]))
    return script, output


def arrived(output):
    return [int(line.split(",")[0]) for line in ticks.committed(output)]


def awaited(output, count, cluster, job, seconds=60):
    """Until every number below `count` is there; nothing is there twice."""
    def done():
        state = cluster.state(job)["state"]
        check(state not in ("FAILED", "FINISHED"), f"the job is {state}: {cluster.root_exception(job)}")
        return len(ticks.committed(output)) >= count
    try:
        wait(done, seconds, f"{count} rows", every=0.2)
    except local.Failure as error:
        there = arrived(output)
        missing = sorted(set(range(count)) - set(there))
        raise local.Failure(f"{error}; {len(there)} are there, {len(missing)} are missing, such as {missing[:5]}")
    time.sleep(1)
    there = arrived(output)
    twice = len(there) - len(set(there))
    check(not twice, f"{twice} rows came twice")
    check(set(there) == set(range(count)), f"{len(set(range(count)) - set(there))} rows are missing, {len(set(there) - set(range(count)))} are foreign")


@story
def a_stream_that_is_resharded_under_kills_and_faults_is_copied_exactly_once(place):
    stream, count, chance = Stream(place, 3), 30_000, random.Random(11)
    cluster = cluster_of(place, taskmanagers=2, slots=2)
    stream.put(rows(range(0, 3_000)))
    script, output = copying(place, stream)
    job = cluster.submit(script)
    wait(lambda: len(ticks.committed(output)) > 0, 30, "the first rows")
    for fault in (dict(kind="error", operation="GetRecords", percent=10, code="ProvisionedThroughputExceededException"),
                  dict(kind="drop", operation="GetRecords", percent=3), dict(kind="lost-answer", operation=["GetRecords", "GetShardIterator", "ListShards"], percent=3),
                  dict(kind="error", operation="ListShards", percent=10, code="LimitExceededException"), dict(kind="cut", operation="GetRecords", percent=2),
                  dict(kind="empty", operation="GetRecords", percent=5)):
        stream.control("fault", **fault)
    steps = [stream.split, stream.merge, lambda: stream.control("expire-iterators"), stream.split, "kill", stream.merge, stream.split, "kill",
             lambda: stream.control("expire-iterators"), stream.merge]
    a_step, kills = (count - 3_000) // len(steps), 0
    for number, step in enumerate(steps):
        put = threading.Thread(target=stream.put, args=(rows(range(3_000 + number * a_step, 3_000 + (number + 1) * a_step)),))
        put.start()
        time.sleep(chance.random() * 0.3)
        if step == "kill":
            # Each kill hits a job that runs: two within one recovery would be one failure.
            wait(lambda: (now := cluster.state(job))["state"] == "RUNNING" and now["restarts"] == kills, 30, f"the job to run after {kills} kills")
            kills += 1
            os.kill(next(pid for name, pid in cluster.processes().items() if name.startswith("taskmanager")), signal.SIGKILL)
            cluster.add()
        else:
            step()
        put.join()
        time.sleep(0.5)
    stream.control("clear")
    awaited(output, count, cluster, job)
    state, told = cluster.state(job), stream.control("counters")
    check(state["restarts"] == kills, f"{state['restarts']} restarts after {kills} kills")
    say(f"{count} rows, {len(stream.boto.list_shards(StreamName='ticks')['Shards'])} shards in the end, {state['restarts']} restarts, "
        f"{told['calls'].get('GetRecords', 0)} GetRecords")


@story
def windows_over_splits_and_merges_lack_no_row(place):
    """Each shard's rows are in order, and no watermark may pass those of shards that are still to be read: rows need no other allowance for
    being late than what one call puts, of which the emulator may refuse some."""
    stream, count, keys = Stream(place, 2), 12_000, 200
    cluster = cluster_of(place, taskmanagers=2, slots=1)
    output = place.path("out")
    script = place.write("order.sql", "\n".join([
        SETTINGS.replace("'3'", "'2'"), stream.table("input", "id BIGINT, `key` STRING, ms BIGINT, t AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR t AS t - INTERVAL '1' SECOND",
                                                    **{"source.reader.empty-records-fetch-interval": "50 ms"}),
        folder("output", "w STRING, `key` STRING, n BIGINT", output),
        "INSERT INTO output SELECT CAST(window_start AS STRING), `key`, COUNT(*) FROM TABLE(TUMBLE(TABLE input, DESCRIPTOR(t), INTERVAL '1' SECOND))"
        " GROUP BY window_start, window_end, `key`;"]))
    job = cluster.submit(script)
    for number in range(0, count, 1_000):
        stream.put(rows(range(number, number + 1_000), keys))
        if number % 3_000 == 1_000:
            stream.split()
        if number % 3_000 == 2_000:
            stream.merge()
        time.sleep(0.3)
    # Rows of a minute later on every shard close the windows.
    stream.put([{"id": 0, "key": f"end{number}", "ms": 1_700_000_000_000 + count + 60_000} for number in range(200)])
    expected = sorted(f"k{key}" for key in range(keys))
    def closed():
        check(cluster.state(job)["state"] != "FAILED", f"the job failed: {cluster.root_exception(job)}")
        return len([line for line in ticks.committed(output) if ",end" not in line]) >= count // 1_000 * keys
    wait(closed, 40, "the windows", every=0.2)
    lines = [line.split(",") for line in ticks.committed(output) if ",end" not in line]
    each = 1_000 // keys
    check(all(int(n) == each for _, _, n in lines), f"windows of {each} rows each, but {[line for line in lines if int(line[2]) != each][:5]}")
    check(sorted({key for _, key, _ in lines}) == expected, "every key has its windows")
    say(f"{len(lines)} windows of exactly {each} rows")


@story
def fan_out_goes_on_after_its_subscriptions_end_and_over_reshards(place):
    stream, count = Stream(place, 2, "--subscription", "2", "--heartbeat", "0.2"), 10_000
    cluster = cluster_of(place, taskmanagers=2, slots=2)
    script, output = copying(place, stream, **{"source.reader.type": "EFO", "source.efo.consumer.name": "swiftwater"})
    job = cluster.submit(script)
    for number in range(0, count, 1_000):
        stream.put(rows(range(number, number + 1_000)))
        if number == 2_000:
            stream.split()
        if number == 4_000:
            stream.control("end-subscriptions", code="InternalFailureException")
        if number == 5_000:
            stream.control("end-subscriptions", abruptly=True)
        if number == 6_000:
            stream.merge()
        if number == 7_000:
            os.kill(next(pid for name, pid in cluster.processes().items() if name.startswith("taskmanager")), signal.SIGKILL)
            cluster.add()
        time.sleep(0.4)
    awaited(output, count, cluster, job)
    told = stream.control("counters")["calls"]
    check(told.get("SubscribeToShard", 0) > 4, f"SubscribeToShard was called {told.get('SubscribeToShard', 0)} times")
    check(not told.get("GetRecords"), "fan-out polls nothing")
    say(f"{count} rows by {told['SubscribeToShard']} subscriptions")


def varint(number):
    out = b""
    while True:
        number, low = number >> 7, number & 127
        out += bytes([low | (128 if number else 0)])
        if not number:
            return out


def aggregate(datas, key, hash_keys=()):
    """What the Kinesis Producer Library makes of several records; `hash_keys`: explicit ones, one a record."""
    def field(number, data):
        return varint(number << 3 | 2) + varint(len(data)) + data
    message = field(1, key.encode()) + b"".join(field(2, str(each).encode()) for each in hash_keys) + b"".join(
        field(3, b"\x08\x00" + (b"\x10" + varint(place) if hash_keys else b"") + field(3, data)) for place, data in enumerate(datas))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


@story
def what_the_producer_library_aggregated_is_read_once_over_a_kill(place):
    stream, count = Stream(place, 2), 8_000
    cluster = cluster_of(place, taskmanagers=2, slots=2)
    script, output = copying(place, stream)
    job = cluster.submit(script)
    for number in range(0, count, 100):
        data = aggregate([json.dumps(row).encode() for row in rows(range(number, number + 100))], str(number))
        stream.boto.put_record(StreamName="ticks", Data=data, PartitionKey=str(number))
        if number == count // 2:
            os.kill(next(pid for name, pid in cluster.processes().items() if name.startswith("taskmanager")), signal.SIGKILL)
            cluster.add()
        time.sleep(0.02)
    awaited(output, count, cluster, job)
    say(f"{count} rows out of {count // 100} records")


@story
def what_a_producer_put_into_the_wrong_shard_and_puts_again_is_read_once(place):
    """The KPL's map of shards was old: row 2 belongs to the second shard but went with row 1. The KPL sees it in the answer, and puts 2 again."""
    stream = Stream(place, 2)
    cluster = cluster_of(place, taskmanagers=1, slots=3)
    low, high = sorted(int(shard["HashKeyRange"]["StartingHashKey"]) for shard in stream.shards())
    one, two, three = [json.dumps(row).encode() for row in rows(range(3))]
    for data, keys in (([one, two], [low, high]), ([two, three], [high, high])):
        stream.boto.put_record(StreamName="ticks", Data=aggregate(data, "a", keys), PartitionKey="a", ExplicitHashKey=str(keys[0]))
    script, output = copying(place, stream)
    awaited(output, 3, cluster, cluster.submit(script))
    check("belong to other shards" in cluster.log_text("taskmanager-1"), "that a record was left out stands in the log")


@story
def a_stream_that_was_made_anew_is_told_from_the_one_before(place):
    stream = Stream(place, 2)
    cluster = cluster_of(place, taskmanagers=1, slots=3)
    script, output = copying(place, stream)
    stream.put(rows(range(0, 100)))
    job = cluster.submit(script)
    awaited(output, 100, cluster, job)
    stream.split()
    stream.put(rows(range(100, 200)))
    awaited(output, 200, cluster, job)
    savepoint = cluster.client("stop", job, "-p", place.path("savepoints")).split("Path:")[1].strip()
    stream.boto.delete_stream(StreamName="ticks", EnforceConsumerDeletion=True)
    stream.boto.create_stream(StreamName="ticks", ShardCount=2)
    words = cluster.client("submit", script, "--detached", "-s", savepoint).split()
    job = words[words.index("JobID") + 1]
    state = cluster.ended(job, 30)
    check(state["state"] == "FAILED", f"the job is {state['state']}")
    told = cluster.root_exception(job) or ""
    # Whoever sees it first tells it: the JobManager, which asks what the stream is, or the reader, whose position the service refuses.
    tells = "stream ticks, created at", "a stream of this name that has been deleted since"
    check(any(words in told for words in tells) and "without that state" in told, f"it is told as: {told[:600]}")
    # A job that runs notices it, too.
    stream.put(rows(range(200, 300)))
    job = cluster.submit(script)
    wait(lambda: len(ticks.committed(output)) >= 300, 30, "the rows of the new stream")
    stream.boto.delete_stream(StreamName="ticks", EnforceConsumerDeletion=True)
    stream.boto.create_stream(StreamName="ticks", ShardCount=2)
    state = cluster.ended(job, 30)
    told = cluster.root_exception(job) or ""
    check(state["state"] == "FAILED" and any(words in told for words in tells), f"the job is {state['state']}: {told}")


@story
def faults_that_stay_are_told_and_those_that_somebody_must_mend_end_the_job(place):
    stream = Stream(place, 1)
    cluster = cluster_of(place, taskmanagers=1, slots=3)
    stream.put(rows(range(0, 20)))
    script, _ = copying(place, stream, **{"source.reader.type": "EFO", "source.efo.consumer.name": "typo", "source.efo.lifecycle": "SELF_MANAGED"})
    job = cluster.submit(script)
    state, words = cluster.ended(job, 40), cluster.root_exception(job) or ""
    check(state["state"] == "FAILED" and "typo" in words and "register it" in words, f"a consumer that is not there: {state['state']}, {words[:300]}")
    script, _ = copying(place, stream, **{"aws.region": "us-east-1"})
    job = cluster.submit(script)
    state, words = cluster.ended(job, 20), cluster.root_exception(job) or ""
    check(state["state"] == "FAILED" and "region" in words, f"a wrong region: {state['state']}, {words[:300]}")
    stream.control("fault", kind="error", operation="GetRecords", percent=100, code="ProvisionedThroughputExceededException")
    script, output = copying(place, stream)
    job = cluster.submit(script)
    wait(lambda: "nothing but errors" in cluster.log_text("taskmanager-1"), 60, "a word about throttling")
    check(cluster.state(job)["state"] == "RUNNING", "throttling is no failure")
    stream.control("clear")
    awaited(output, 20, cluster, job)
    stream.control("fault", kind="error", operation="GetRecords", percent=100, code="ExpiredIteratorException")
    stream.control("counters", reset=True)
    time.sleep(5)
    calls = stream.control("counters")["calls"].get("GetRecords", 0)
    check(calls < 50, f"{calls} calls in five seconds with iterators that expire at once")
    stream.control("clear")
    stream.put(rows(range(20, 30)))
    awaited(output, 30, cluster, job)


@story
def latest_is_the_services_moment_also_when_clocks_differ(place):
    stream = Stream(place, 1, "--clock", "+600")
    cluster = cluster_of(place, taskmanagers=1, slots=3)
    stream.put(rows(range(1_000, 1_100)))
    time.sleep(4)
    script, output = copying(place, stream, **{"source.init.position": "LATEST"})
    job = cluster.submit(script)
    wait(lambda: cluster.state(job)["state"] == "RUNNING", 20, "the job to run")
    time.sleep(3)
    stream.put(rows(range(0, 10)))
    awaited(output, 10, cluster, job)


@story
def fan_out_reads_more_shards_than_one_connection_carries(place):
    stream, count = Stream(place, 80), 4_000
    cluster = cluster_of(place, taskmanagers=1, slots=3)
    script, output = copying(place, stream, **{"source.reader.type": "EFO", "source.efo.consumer.name": "swiftwater"})
    job = cluster.submit(script)
    stream.put(rows(range(0, count), keys=count))
    awaited(output, count, cluster, job)
    check(len({each["shard"] for each in stream.control_state()["subscriptions"]}) == 80, "every shard is subscribed to")


@story
def latest_begins_at_the_first_start_however_often_the_job_begins_anew(place):
    stream = Stream(place, 2)
    stream.put(rows(range(1_000_000, 1_000_100)))
    time.sleep(1.1)
    cluster = cluster_of(place, taskmanagers=1, slots=1)
    output = place.path("out")
    # No checkpoint completes: everything depends on the moment in HEAD.
    script = place.write("latest.sql", "\n".join([
        SETTINGS.replace("'3'", "'1'").replace("300 ms", "6 s"), stream.table("input", "id BIGINT, `key` STRING", **{"source.init.position": "LATEST"}),
        folder("output", "id BIGINT, `key` STRING", output), "INSERT INTO output SELECT id, `key` FROM input;"]))
    job = cluster.submit(script)
    wait(lambda: cluster.state(job)["state"] == "RUNNING", 20, "the job to run")
    time.sleep(1.5)
    stream.put(rows(range(0, 500)))
    os.kill(cluster.processes()["taskmanager-1"], signal.SIGKILL)
    stream.put(rows(range(500, 1_000)))
    check(cluster.completed(job) == 0, "a checkpoint completed before the kill")
    cluster.add()
    awaited(output, 1_000, cluster, job)


@story
def bad_streams_and_poison_records_are_told_in_words(place):
    stream = Stream(place, 1)
    cluster = cluster_of(place, taskmanagers=1, slots=3)
    def failure(script):
        job = cluster.submit(script)
        state = cluster.ended(job, 90)
        check(state["state"] == "FAILED", f"the job is {state['state']}")
        return cluster.root_exception(job) or ""
    script, _ = copying(place, stream, stream="nowhere")
    words = failure(script)
    check("nowhere" in words and "ResourceNotFound" in words, f"a missing stream is told as: {words[:300]}")
    stream.boto.put_record(StreamName="ticks", Data=b'{"id": 1, "key": oh no}', PartitionKey="a")
    script, _ = copying(place, stream)
    words = failure(script)
    check("sequence number" in words and "oh no" in words, f"a poison record is told as: {words[:300]}")
    stream.put(rows(range(0, 10)))
    script, output = copying(place, stream, **{"json.ignore-parse-errors": "true"})
    job = cluster.submit(script)
    awaited(output, 10, cluster, job)
    # Allowed until now: after 15 s the job fails, and its restart strategy decides.
    stream.control("deny", operations=["GetRecords"])
    words = wait(lambda: cluster.root_exception(job), 60, "the job to tell what is denied")
    check("AccessDenied" in words, f"a denied action is told as: {words[:300]}")


@story
def the_sink_puts_every_row_and_keeps_the_order_of_each_key(place):
    stream, count = Stream(place, 3), 10_000
    data = place.path("in.json")
    with open(data, "w") as file:
        file.writelines(json.dumps({"id": number, "key": f"k{number % 20}"}) + "\n" for number in range(count))
    stream.control("fault", kind="partial", percent=2, times=1_000)
    stream.control("fault", kind="error", operation="PutRecords", percent=5, code="InternalFailure")
    cluster = cluster_of(place, taskmanagers=1, slots=1)
    sink = stream.table("output", "id BIGINT, `key` STRING", **{"source.init.position": None, "source.shard.discovery.interval": None})
    script = place.write("sink.sql", "\n".join([
        SETTINGS.replace("'3'", "'1'"), f"CREATE TABLE input (id BIGINT, `key` STRING) WITH ('connector' = 'filesystem', 'path' = '{data}', 'format' = 'json');",
        sink.replace(") WITH (", ") PARTITIONED BY (`key`) WITH (", 1), "INSERT INTO output SELECT id, `key` FROM input;"]))
    state = cluster.ended(cluster.submit(script), 60)
    check(state["state"] == "FINISHED", f"the job is {state['state']}")
    last, there = {}, set()
    for shard, text in stream.records():
        row = json.loads(text)
        there.add(row["id"])
        last[row["key"]] = row["id"]
    check(there == set(range(count)), f"{count - len(there)} rows are missing")
    check(all(last[f"k{key}"] == count - 20 + key for key in range(20)), "the newest row of each key is its last")
    say(f"{count} rows, {len(stream.records()) - count} of them more than once")


@story
def datagen_fills_a_stream_at_its_rate(place):
    stream = Stream(place, 2)
    stream.control("fault", kind="partial", percent=20, times=1_000)
    template = place.write("t.json", '{"key": "{{random.arrayElement(["a","b"])}}", "price": "{{random.number({"min":500,"max":1000})}}"}')
    result = subprocess.run([local.swiftwater, "datagen", "--template", template, "--stream", "ticks", "--region", clouds.REGION, "--endpoint", stream.url, "--rate", "2000", "--rows", "4000"],
                            capture_output=True, text=True, env=environment(), timeout=60)
    check(result.returncode == 0, f"datagen ended with {result.returncode}: {result.stderr}")
    records = stream.records()
    check(len(records) == 4_000, f"{len(records)} records")
    check(all(500 <= int(json.loads(text)["price"]) <= 1000 for _, text in records), "every record is a row of the template")
    check(re.search(r"4,000 rows", result.stderr), f"no last words: {result.stderr}")
