"""The blog's pipeline whole: a Kinesis stream, a JobManager that lives for one job, two TaskManagers, files on S3, boto3 at both ends."""
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.request

import cluster as local
from cluster import wait

from clustertests.harness import check, say, story

from . import clouds, proxy
from .kinesis import Stream

CLASS = "com.amazonaws.services.kinesisanalytics.S3StreamingSinkJob"
JOB = "00000000000000000000000000b10900"


class Application:
    """`jobmanager standalone-job …` and its TaskManagers, as an image starts them."""

    def __init__(self, place, environment, *arguments):
        self.place, self.environment, self.arguments = place, environment | {"SWIFTWATER_CONF_DIR": "/nonexistent"}, arguments
        self.taskmanagers, self.count, self.rpc = [], 0, "0"
        self.start()

    def spawn(self, name, *command):
        self.count += 1
        log = open(self.place.path(f"{self.count}-{name}.log"), "w")
        process = subprocess.Popen(command, stderr=log, stdout=log, env=self.environment, start_new_session=True)
        self.place.started.append(process)
        return process, log.name

    def start(self):
        ports = self.place.path("ports")
        if os.path.exists(ports):
            os.remove(ports)
        self.jobmanager, self.log = self.spawn(
            "jobmanager", os.path.join(local.binaries, "jobmanager"), "standalone-job", "--host", "127.0.0.1", *self.arguments, "--job-id", JOB,
            "-D", f"jobmanager.rpc.port={self.rpc}", "-D", "rest.port=0", "--ports-file", ports)
        wait(lambda: os.path.exists(ports) or self.jobmanager.poll() is not None, 30, "the JobManager")
        check(os.path.exists(ports), f"the JobManager ended with {self.jobmanager.poll()}: {self.words()}")
        with open(ports) as file:
            found = dict(line.strip().split("=") for line in file)
        self.rpc, self.url = found["rpc"], f"http://127.0.0.1:{found['rest']}"

    def add(self):
        self.taskmanagers.append(self.spawn(
            "taskmanager", os.path.join(local.binaries, "taskmanager"), "-D", f"jobmanager.rpc.port={self.rpc}", "-D", "taskmanager.numberOfTaskSlots=1",
            "-D", "taskmanager.registration.timeout=60 s")[0])

    def words(self):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-12:])

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def state(self):
        return next((job["state"] for job in self.get("/jobs/overview")["jobs"]), None)

    def completed(self):
        return self.get(f"/jobs/{JOB}/checkpoints")["counts"]["completed"]

    def running(self):
        wait(lambda: self.state() == "RUNNING", 60, f"the job to run: {self.words()}")

    def drain(self):
        """Asks for the end, and waits for the process's own."""
        result = subprocess.run([local.swiftwater, "stop", JOB, "--drain", "-p", f"s3://{self.place.bucket}/savepoints", "--jobmanager", self.url],
                                capture_output=True, text=True, timeout=120)
        check(result.returncode == 0, f"stop --drain ended with {result.returncode}: {result.stderr}{self.words()}")
        return self.jobmanager.wait(60)


@story
def the_blogs_command_line_gives_the_blogs_bytes(place):
    stream = Stream(place, 2)
    place.environment()
    app = Application(
        place, place.environment(), "--job-classname", CLASS, "--inputStreamName", "ticks", "--region", clouds.REGION, "--s3SinkPath", f"s3a://{place.bucket}/data",
        "--checkpoint-dir", f"s3a://{place.bucket}/recovery", "--endpoint", stream.url)
    app.add()
    app.running()
    check(app.get(f"/jobs/{JOB}")["name"] == "Flink S3 Streaming Sink Job", "the job has another name")
    check(any("S3_sink" in vertex["name"] for vertex in app.get(f"/jobs/{JOB}")["vertices"]), "there is no sink named S3_sink")

    def put(*records):
        answer = stream.boto.put_records(StreamName="ticks", Records=[
            {"Data": json.dumps({"EVENT_TIME": "Sunday, November 22nd 2026, 11:04:39 am", "TICKER": ticker, "PRICE": price, "ID": "x"}).encode(), "PartitionKey": ticker}
            for ticker, price in records])
        check(answer["FailedRecordCount"] == 0, "records were refused")

    put(("ABCD", "987"), ("ABCD", "501"), ("CDEF", 12_000_000), ("IJKL", "oops"))
    wait(lambda: sum(vertex["metrics"]["read-records"] for vertex in app.get(f"/jobs/{JOB}")["vertices"][:1]) >= 4, 30, "the records to be read")
    code = app.drain()
    check(code == 0, f"the JobManager ended with {code}")
    keys = [key for key in place.keys("data/") if not key.startswith("data/_")]
    check(keys and all(re.fullmatch(r"data/\d{4}-\d\d-\d\d--\d\d/part-.+", key) for key in keys), f"names: {keys}")
    text = b"".join(place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read() for key in keys)
    found = sorted(set(text.decode().split("\n\n")) - {""})
    check(found == ["ABCD,987.0,987.0", "CDEF,1.2E7,1.2E7", "IJKL,0.0,0.0"], f"the bytes are {text[:200]!r}")
    check(text.endswith(b"\n\n") and text.count(b"\n") == 2 * len([line for line in text.split(b"\n") if line]), "an empty line follows each")
    say(f"{text.splitlines()[0].decode()} and an empty line, in {keys[0]}")


SQL = """
SET 'pipeline.name' = 'pipeline'; SET 'parallelism.default' = '2'; SET 'execution.checkpointing.interval' = '300 ms';
SET 'execution.checkpointing.dir' = 's3://{bucket}/recovery'; SET 'restart-strategy.type' = 'fixed-delay';
SET 'restart-strategy.fixed-delay.attempts' = '1000000'; SET 'restart-strategy.fixed-delay.delay' = '100 ms';
{input}
CREATE TABLE highest (ticker STRING, w STRING, price DOUBLE, n BIGINT) WITH (
  'connector' = 'filesystem', 'path' = 's3://{bucket}/data', 'format' = 'csv', 'sink.rolling-policy.rollover-interval' = '1 s',
  'sink.rolling-policy.check-interval' = '200 ms');
INSERT INTO highest SELECT `key`, DATE_FORMAT(window_end, 'mm:ss'), MAX(price), COUNT(*)
FROM TABLE(HOP(TABLE input, DESCRIPTOR(t), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, `key`;
"""


@story
def kinesis_to_s3_is_exact_while_both_kinds_of_process_are_killed(place):
    chance, stream, count = random.Random(7), Stream(place, 2), 12_000
    for fault in (dict(kind="error", operation="GetRecords", percent=5, code="ProvisionedThroughputExceededException"),
                  dict(kind="lost-answer", operation=["GetRecords", "GetShardIterator", "ListShards"], percent=2)):
        stream.control("fault", **fault)
    # Watermarks are far behind: rows of a shard that is read later are not late.
    source = stream.table("input", "id BIGINT, `key` STRING, price DOUBLE, ms BIGINT, t AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR t AS t - INTERVAL '10' MINUTE",
                          **{"source.reader.empty-records-fetch-interval": "50 ms"})
    script = place.write("pipeline.sql", SQL.format(bucket=place.bucket, input=source))
    rows = [{"id": number, "key": f"T{number % 7}", "price": 500 + number * 7919 % 500, "ms": 1_700_000_000_000 + number * 5} for number in range(count)]
    answer = {}
    for row in rows:
        for end in (row["ms"] // 5_000 * 5_000 + 5_000, row["ms"] // 5_000 * 5_000 + 10_000):
            price, n = answer.get((row["key"], end), (0, 0))
            answer[row["key"], end] = max(price, row["price"]), n + 1
    wanted = sorted(f"{key},{time.strftime('%M:%S', time.gmtime(end / 1000))},{float(price)},{n}" for (key, end), (price, n) in answer.items())
    with proxy.FaultProxy(place.clouds.s3().url, throttled=6, lost=3) as faults:
        app = Application(place, place.environment(AWS_ENDPOINT_URL_S3=faults.url), "--sql", script)
        for _ in range(2):
            app.add()
        app.running()
        steps = ["taskmanager", stream.split, "jobmanager", "taskmanager", stream.merge, "jobmanager"]
        share = count // len(steps)
        for number, step in enumerate(steps):
            stream.put(rows[number * share:(number + 1) * share])
            before = app.completed()
            wait(lambda: app.completed() > before + 1, 60, f"checkpoints: {app.words()}")
            time.sleep(chance.random() * 0.3)
            if step == "taskmanager":
                victim = app.taskmanagers.pop(chance.randrange(len(app.taskmanagers)))
                os.kill(victim.pid, signal.SIGKILL)
                app.add()
            elif step == "jobmanager":
                os.kill(app.jobmanager.pid, signal.SIGKILL)
                app.jobmanager.wait(10)
                app.start()
            else:
                step()
            app.running()
        stream.control("clear")
        wait(lambda: len(stream.records()) == count, 10, "every record in the stream")
        before = app.completed()
        wait(lambda: app.completed() > before + 3, 60, "checkpoints after the last fault")
        caught_up(stream, app)
        code = app.drain()
        check(code == 0, f"the JobManager ended with {code}: {app.words()}")
        counts = faults.counts
    lines = []
    for key in place.keys("data/"):
        if not key.startswith("data/_"):
            lines += place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read().decode().splitlines()
    lines.sort()
    check(lines == wanted, f"{len(lines)} lines, {len(wanted)} should be there: {sorted(set(lines) ^ set(wanted))[:6]}, {len(lines) - len(set(lines))} twice")
    lost = sum(number for (_, outcome), number in counts.items() if outcome == "lost")
    say(f"{count} records, {len(lines)} windows, two JobManagers and two TaskManagers killed, {sum(counts.values())} S3 requests, {lost} answers lost")


def caught_up(stream, app):
    """The reader asked every open shard several times after the last record."""
    def calls():
        return stream.control("counters")["calls"].get("GetRecords", 0)
    before = calls()
    wait(lambda: calls() > before + 40, 60, "the reader to catch up")
