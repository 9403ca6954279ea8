"""`swiftwater verify` and `savepoint --dispose` against a bucket that somebody has damaged."""
import os
import random
import signal
import subprocess

import cluster as local
from cluster import wait

from clustertests import ticks
from clustertests.harness import check, say, story

from .sink import COPY, settings, verify


def client(place, *arguments):
    result = subprocess.run([local.swiftwater, *arguments], capture_output=True, text=True, timeout=120, env=place.environment())
    return result.returncode, result.stdout + result.stderr


class Changed:
    """An object with other bytes, or none, for a while."""

    def __init__(self, place, key, body=None):
        self.s3, self.bucket, self.key, self.body = place.s3, place.bucket, key, body

    def __enter__(self):
        self.was = self.s3.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()
        if self.body is None:
            self.s3.delete_object(Bucket=self.bucket, Key=self.key)
        else:
            self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=self.body)

    def __exit__(self, *_):
        self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=self.was)


@story
def a_head_that_was_put_back_and_checkpoints_that_are_not_whole_are_told(place):
    data = ticks.Ticks(place.path("ticks"), rows=200_000, tickers=20, rows_a_file=10_000)
    cluster = place.cluster(taskmanagers=1, slots=2, settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"])
    more = (("parallelism.default", 2), ("execution.checkpointing.num-retained", 3), ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"))
    output = f"s3://{place.bucket}/out"
    job = cluster.submit(place.write("copy.sql", COPY.format(
        settings=settings(place, *more), source=data.folder, rate=8_000, output=output, options="'sink.rolling-policy.file-size' = '200kb'")))
    head, known = f"recovery/{job}/HEAD", ("--checkpoints", f"s3://{place.bucket}/recovery")
    wait(lambda: cluster.completed(job) > 3, 30, "checkpoints")
    old = place.s3.get_object(Bucket=place.bucket, Key=head)["Body"].read()
    for _ in range(5):
        code, told = verify(place, output, *known)
        check(code == 0, f"verify while the job runs: {told}")
    before = cluster.completed(job)
    wait(lambda: cluster.completed(job) > before + 5, 30, "more checkpoints")
    code, told = client(place, "savepoint", job, f"s3://{place.bucket}/saved", "--jobmanager", cluster.url)
    check(code == 0, told)
    saved = told.split("Path:")[1].strip()
    before = cluster.completed(job)
    wait(lambda: cluster.completed(job) > before + 3, 30, "checkpoints after the savepoint")
    cluster.client("cancel", job)
    code, told = verify(place, output, *known)
    check(code == 0 and "position: checkpoint" in told and "ticks" in told, f"verify of a cancelled job: {told}")
    say(next(line for line in told.splitlines() if line.startswith("position"))[:200])
    code, told = verify(place, output)
    check(code == 0 and "--checkpoints" in told, f"without a folder of checkpoints: {told}")

    names = sorted(key for key in place.keys(f"recovery/{job}/") if key.endswith("/_metadata"))
    check(len(names) == 3, f"three checkpoints are retained, not {names}")
    for what, key, body, words in (
            ("HEAD put back", head, old, "HEAD was put back"), ("a manifest gone", names[-1], None, "_metadata is gone"),
            ("a manifest damaged", names[0], b"{}", "is not as it was written")):
        with Changed(place, key, body):
            code, told = verify(place, output, *known)
        check(code == 1 and words in told, f"{what}: {code}, {told}")
        say(next(line for line in told.splitlines() if words in line)[:240])
    with Changed(place, head, b"{}"):
        code, told = verify(place, output, *known)
    check(code == 2 and "is no HEAD" in told, f"a HEAD that is none: {code}, {told}")
    code, told = verify(place, output, *known)
    check(code == 0, f"mended: {told}")

    # Disposal.
    code, told = client(place, "savepoint", "-d", f"s3://{place.bucket}/{names[0].rsplit('/', 1)[0]}")
    check(code == 2 and "removes it itself" in told, f"disposing a checkpoint: {code}, {told}")
    place.s3.put_object(Bucket=place.bucket, Key=saved.split("/", 3)[3] + "/notes.txt", Body=b"mine")
    code, told = client(place, "savepoint", "--dispose", saved, "-D", f"execution.checkpointing.dir=s3://{place.bucket}/recovery")
    check(code == 0 and "disposed" in told and "notes.txt" in told, f"disposing a savepoint: {code}, {told}")
    left = list(place.keys("saved/"))
    check(len(left) == 1 and left[0].endswith("notes.txt"), f"what is left of it: {left}")
    code, told = client(place, "savepoint", "-d", saved)
    check(code == 2 and "no savepoint" in told, f"disposing it again: {code}, {told}")
    code, told = verify(place, output, *known)
    check(code == 0, f"at the end: {told}")


@story
def rows_that_never_end_are_not_waited_for(place):
    data = ticks.Ticks(place.path("ticks"), rows=100, tickers=5, rows_a_file=100)
    os.makedirs(place.path("out"))
    place.write("out/x.csv", "a,b,c\n")
    sink = f"CREATE TABLE copy (TICKER STRING) WITH ('connector' = 'filesystem', 'path' = '{place.path('out')}', 'format' = 'csv'); INSERT INTO copy SELECT TICKER FROM input;"
    for options, words in (
            (f"'connector' = 'filesystem', 'path' = '{data.folder}', 'format' = 'json', 'source.monitor-interval' = '1 s'", "source.monitor-interval"),
            ("'connector' = 'datagen'", "number-of-rows"), ("'connector' = 'kinesis', 'stream' = 's', 'aws.region' = 'eu-west-1', 'format' = 'json'", "a stream goes on")):
        script = place.write("expect.sql", f"CREATE TABLE input (TICKER STRING) WITH ({options}); {sink}")
        code, told = client(place, "verify", place.path("out"), "--rows-only", "--expect", script)
        check(code == 2 and "table input has no end" in told and words in told, f"{words}: {code}, {told}")


@story
def rows_that_are_expected_are_made_without_waiting_for_their_rate(place):
    """At one a second either table would take more than the client's two minutes."""
    os.makedirs(place.path("in"))
    os.makedirs(place.path("out"))
    place.write("in/lines.csv", "".join(f"{number}\n" for number in range(500)))
    place.write("out/x.csv", "".join(f"{number}\n" for number in range(500)))
    script = "CREATE TABLE input (n BIGINT) WITH ({}); CREATE TABLE copy (n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'); INSERT INTO copy SELECT n FROM input;"
    for options in (f"'connector' = 'filesystem', 'path' = '{place.path('in')}', 'format' = 'csv', 'scan.rows-per-second' = '1'",
                    "'connector' = 'datagen', 'rows-per-second' = '1', 'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '499'"):
        code, told = client(place, "verify", place.path("out"), "--rows-only", "--expect", place.write("expect.sql", script.format(options, place.path("out"))))
        check(code == 0 and "500 rows are expected, 500 lines are there" in told, f"{options}: {code}, {told}")


@story
def merged_files_are_verified_through_kills(place):
    """`auto-compaction`, in a folder."""
    chance = random.Random(5)
    data = ticks.Ticks(place.path("ticks"), rows=80_000, tickers=20, rows_a_file=4_000)
    cluster = place.cluster(taskmanagers=2, slots=1, settings=[f"execution.checkpointing.dir={place.path('checkpoints')}"])
    output = place.path("out")
    options = "'auto-compaction' = 'true', 'compaction.file-size' = '1mb', 'sink.rolling-policy.file-size' = '20kb'"
    job = cluster.submit(place.write("copy.sql", COPY.format(
        settings=settings(place, ("parallelism.default", 2)), source=data.folder, rate=8_000, output=output, options=options)))
    for _ in range(3):
        before = cluster.completed(job)
        wait(lambda: cluster.completed(job) > before + 4, 60, "checkpoints")
        name = chance.choice([name for name in cluster.processes() if name.startswith("taskmanager")])
        os.kill(cluster.processes()[name], signal.SIGKILL)
        cluster.add()
    state = cluster.ended(job, 120)
    check(state["state"] == "FINISHED", f"the job is {state['state']}: {cluster.root_exception(job)}")
    code, told = verify(place, output, "--checkpoints", place.path("checkpoints"), "--expect", place.write("expect.sql", COPY.format(
        settings="", source=data.folder, rate=10_000_000, output=output, options=options)))
    check(code == 0, f"verify: {told}")
    say(" / ".join(told.strip().splitlines()[-2:]))
    files = sorted(name for name in os.listdir(output) if name.startswith("part-"))
    lists = [open(os.path.join(base, name)).read() for base, _, names in os.walk(os.path.join(output, "_swiftwater")) for name in names]
    check(any('"merged"' in text for text in lists), "no file is a merged one")
    gone = next(name for name in files if any(f'"path":"{name}"' in text and '"merged"' in text for text in lists))
    os.remove(os.path.join(output, gone))
    code, told = verify(place, output)
    check(code == 1 and f"missing: {gone}" in told, f"a merged file that is gone: {code}, {told}")


@story
def a_savepoint_that_a_running_job_began_from_is_not_disposed(place):
    """The client does not know where checkpoints are: the JobManager says."""
    data = ticks.Ticks(place.path("ticks"), rows=100_000, tickers=20, rows_a_file=10_000)
    cluster = place.cluster(taskmanagers=1, slots=2, settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"])
    script = place.write("copy.sql", COPY.format(
        settings="", source=data.folder, rate=1_000, output=f"s3://{place.bucket}/out",
        options="'sink.rolling-policy.file-size' = '200kb'"))
    job = cluster.submit(script)
    wait(lambda: cluster.state(job)["state"] == "RUNNING", 30, "the job to run")
    saved = cluster.client("stop", job, "-p", f"s3://{place.bucket}/saved").split("Path:")[1].strip()
    words = cluster.client("submit", script, "--detached", "-s", saved).split()
    second = words[words.index("JobID") + 1]
    wait(lambda: cluster.state(second)["state"] == "RUNNING", 30, "the second job to run")
    there = set(place.keys("saved/"))
    code, told = client(place, "savepoint", "-d", saved.replace("s3://", "s3a://"), "--jobmanager", cluster.url)
    check(code == 2 and second in told and "began from this savepoint" in told, f"disposing what a job began from: {code}, {told}")
    check(set(place.keys("saved/")) == there, "something was removed")
    say(told.strip())
    cluster.client("savepoint", second, f"s3://{place.bucket}/later")
    code, told = client(place, "savepoint", "-d", saved, "--jobmanager", cluster.url)
    check(code == 0 and "disposed" in told, f"disposing when the job has a later one: {code}, {told}")
    check(not place.keys("saved/"), f"what is left of it: {list(place.keys('saved/'))}")
