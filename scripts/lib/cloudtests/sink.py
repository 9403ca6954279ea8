"""Files in a bucket, exactly once."""
import os
import random
import signal

from cluster import wait

from clustertests import ticks
from clustertests.harness import check, client, say, story

from . import proxy

RESTARTS = (("restart-strategy.type", "fixed-delay"), ("restart-strategy.fixed-delay.attempts", "1000000"), ("restart-strategy.fixed-delay.delay", "0 s"))
COPY = """{settings}CREATE TABLE ticks (EVENT_TIME STRING, TICKER STRING, PRICE STRING, ID STRING)
WITH ('connector' = 'filesystem', 'path' = '{source}', 'format' = 'json', 'scan.rows-per-second' = '{rate}');
CREATE TABLE copy (TICKER STRING, ID STRING, FILLER STRING)
WITH ('connector' = 'filesystem', 'path' = '{output}', 'format' = 'csv', {options});
INSERT INTO copy SELECT TICKER, ID, REPEAT(ID, 24) FROM ticks;
"""


def settings(place, *more):
    return "".join(f"SET '{key}' = '{value}';\n" for key, value in (("execution.checkpointing.interval", "300 ms"), *RESTARTS, *more))


def lines(place, prefix):
    """The lines of all objects that readers see below `prefix`, by boto3."""
    found = []
    for key in place.keys(prefix):
        if not any(part.startswith("_") for part in key.split("/")):
            found += place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read().decode().splitlines()
    return sorted(found)


def kill_one(cluster, job, chance):
    """kill -9 of a TaskManager that runs the job; returns when it runs again, or has finished: its rows may have been at an end."""
    state = cluster.state(job)
    names = sorted({task["taskmanager-id"] for vertex in state["vertices"]
                    for task in cluster.get(f"/jobs/{job}/vertices/{vertex['id']}")["subtasks"]})
    os.kill(cluster.processes()[chance.choice(names)], signal.SIGKILL)
    cluster.add()
    wait(lambda: (now := cluster.state(job))["state"] == "FINISHED" or now["state"] == "RUNNING" and now["restarts"] > state["restarts"], 60, "the job to run again")


def kill_some(cluster, job, chance, kills, checkpoints):
    """kill -9 of one after the other, each so many checkpoints after the one before. On a busy machine the rows may come to their end first."""
    for kill in range(kills):
        before = cluster.completed(job)
        wait(lambda: cluster.completed(job) > before + checkpoints or cluster.state(job)["state"] == "FINISHED", 90, f"checkpoints before kill {kill + 1}")
        if cluster.state(job)["state"] == "FINISHED":
            return check(kill > 1, f"the job finished after {kill} kills")
        kill_one(cluster, job, chance)


def verify(place, path, *arguments):
    """The exit code and words of `swiftwater verify` against the real server, faults aside."""
    import subprocess
    from cluster import swiftwater
    result = subprocess.run([swiftwater, "verify", path, *arguments], capture_output=True, text=True, timeout=120, env=place.environment())
    return result.returncode, result.stdout + result.stderr


def copy(place, data, options, *, rate, seed, throttled, lost, kills, checkpoints, seconds):
    """Copies the ticks to a bucket: answers are spoilt, TaskManagers killed. Each row must be there once. Answers the folder and how many rows are in it."""
    output = f"s3://{place.bucket}/out"
    with proxy.FaultProxy(place.clouds.s3().url, throttled=throttled, lost=lost) as faults:
        cluster = place.cluster(taskmanagers=3, slots=1, settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"],
                                environment=place.environment(AWS_ENDPOINT_URL_S3=faults.url))
        job = cluster.submit(place.write("copy.sql", COPY.format(
            settings=settings(place, ("parallelism.default", 2)), source=data.folder, rate=rate, output=output, options=options)))
        kill_some(cluster, job, random.Random(seed), kills, checkpoints)
        faults.calm()
        state = cluster.ended(job, seconds)
        check(state["state"] == "FINISHED", f"the job ended {state['state']}: {cluster.root_exception(job)}")
        did = {f"{name} {outcome}": count for (name, outcome), count in sorted(faults.counts.items()) if outcome != "answered"}
        say(", ".join(f"{name} {count}" for name, count in did.items()))
    should = answer(data)
    words = ticks.difference(should, lines(place, "out/"))
    check(words is None, f"the bucket does not hold each row once: {words}")
    return output, len(should)


@story
def a_copy_to_a_bucket_is_exact_through_kills_throttling_and_lost_answers(place):
    data = ticks.Ticks(place.path("ticks"), rows=350_000, tickers=50, rows_a_file=10_000)
    # Files of several parts, which checkpoints and kills cut anywhere.
    options = "'s3.upload.min.part.size' = '5mb', 'sink.rolling-policy.file-size' = '7mb', 'sink.rolling-policy.check-interval' = '500ms'"
    output, rows = copy(place, data, options, rate=12_000, seed=20261122, throttled=15, lost=10, kills=5, checkpoints=9, seconds=180)
    parts = [key.rsplit("-", 2)[0] for key in place.keys("out/part-")]
    attempts = {name.rsplit("-", 1)[-1] for name in parts}
    say(f"{len(parts)} files of {len(attempts)} attempts, {rows} rows")
    known = ("--checkpoints", f"s3://{place.bucket}/recovery")
    code, told = verify(place, output, *known)
    check(code == 0, f"verify: {told}")
    code, told = verify(place, output, *known, "--quick", "--expect", place.write("expect.sql", COPY.format(
        settings="", source=data.folder, rate=10_000_000, output=output, options="'sink.commit-list.enabled' = 'true'")))
    check(code == 0, f"verify --expect: {told}")
    say(told.strip().splitlines()[-1])
    # What verify says when it is not so.
    gone = next(key for key in sorted(place.keys("out/part-")))
    place.s3.delete_object(Bucket=place.bucket, Key=gone)
    place.s3.put_object(Bucket=place.bucket, Key="out/stranger.csv", Body=b"x\n")
    place.s3.create_multipart_upload(Bucket=place.bucket, Key="out/part-open")
    code, told = verify(place, output)
    check(code == 1 and f"missing: {gone[4:]}" in told and "foreign: stranger.csv" in told and "uncommitted: part-open" in told, f"verify, {code}: {told}")


@story
def merged_files_in_a_bucket_are_exact_through_kills_throttling_and_lost_answers(place):
    """`auto-compaction`: files of two subtasks that end small in one checkpoint are seen as one."""
    data = ticks.Ticks(place.path("ticks"), rows=120_000, tickers=50, rows_a_file=5_000)
    options = ("'auto-compaction' = 'true', 'compaction.file-size' = '20mb', 's3.upload.min.part.size' = '5mb', "
               "'sink.rolling-policy.rollover-interval' = '700 ms', 'sink.rolling-policy.check-interval' = '100 ms'")
    output, _ = copy(place, data, options, rate=5_000, seed=6, throttled=12, lost=8, kills=4, checkpoints=7, seconds=240)
    files = place.keys("out/part-")
    merged = [key for key in files if key.endswith("-merged")]
    check(merged, f"none of {len(files)} files is a merged one")
    code, told = verify(place, output, "--checkpoints", f"s3://{place.bucket}/recovery", "--expect", place.write("expect.sql", COPY.format(
        settings="", source=data.folder, rate=10_000_000, output=output, options=options)))
    check(code == 0, f"verify: {told}")
    say(f"{len(files)} files, {len(merged)} of them merged, {len(place.keys('out/_swiftwater/parts/'))} small ones of killed attempts left; " + told.strip().splitlines()[-1])
    place.s3.delete_object(Bucket=place.bucket, Key=merged[0])
    code, told = verify(place, output)
    check(code == 1 and f"missing: {merged[0][4:]}" in told, f"a merged file that is gone: {code}, {told}")


def answer(data):
    """The lines of the copy, from the files of ticks, without anything of ours."""
    import json
    rows = []
    for name in sorted(os.listdir(data.folder)):
        with open(os.path.join(data.folder, name)) as file:
            for line in file:
                row = json.loads(line)
                rows.append(f'{row["TICKER"]},{row["ID"]},"{row["ID"] * 24}"')  # A long text stands in quotes, as Jackson does it.
    return sorted(rows)


@story
def windows_to_compressed_files_in_buckets_of_time_are_read_back(place):
    data = ticks.Ticks(place.path("ticks"), rows=60_000, tickers=20, rows_a_file=5_000)
    cluster = place.cluster(taskmanagers=2, slots=1, settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"])
    path = ticks.script(place.path("job.sql"), data.folder, f"s3a://{place.bucket}/data", rate=20_000, settings=[
        ("execution.checkpointing.interval", "300 ms"), *RESTARTS, ("parallelism.default", 2)])
    with open(path) as file:
        text = file.read()
    bucketed = "'format' = 'csv', 'sink.compression' = 'gzip', 'sink.bucket.date-pattern' = 'yyyy-MM-dd--HH'"
    place.write("job.sql", bucketed.join(text.rsplit("'format' = 'csv'", 1)))
    job = cluster.submit(place.path("job.sql"))
    wait(lambda: cluster.completed(job) > 2, 60, "checkpoints")
    kill_one(cluster, job, random.Random(1))
    state = cluster.ended(job, 120)
    check(state["state"] == "FINISHED", f"the job ended {state['state']}: {cluster.root_exception(job)}")
    keys = [key for key in place.keys("data/") if not key.startswith("data/_")]
    check(keys and all(key.endswith(".gz") and key.split("/")[1].startswith("20") and "--" in key.split("/")[1] for key in keys), f"names: {keys[:3]}")
    import gzip
    found = sorted(line for key in keys for line in gzip.decompress(place.s3.get_object(Bucket=place.bucket, Key=key)["Body"].read()).decode().splitlines())
    words = ticks.difference(data.answer, found)
    check(words is None, f"the bucket does not hold the answer: {words}")
    # Read by the source, from the bucket.
    place.write("back.sql", f"""CREATE TABLE highest (window_start TIMESTAMP(3), window_end TIMESTAMP(3), TICKER STRING, max_price DOUBLE)
WITH ('connector' = 'filesystem', 'path' = 's3://{place.bucket}/data', 'format' = 'csv');
SELECT COUNT(*) AS n FROM highest;
""")
    import subprocess
    from cluster import swiftwater
    result = subprocess.run([swiftwater, "run", place.path("back.sql"), "--output", "csv"], capture_output=True, text=True, timeout=120, env=place.environment())
    check(result.returncode == 0 and result.stdout.split()[-1].split(",")[-1] == str(len(data.answer)), f"read back: {result.stdout[-200:]}{result.stderr[-500:]}")


@story
def an_upload_that_a_lifecycle_rule_removed_is_told_in_words(place):
    data = ticks.Ticks(place.path("ticks"), rows=200_000, tickers=20, rows_a_file=10_000)
    cluster = place.cluster(taskmanagers=2, slots=1, settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"])
    script = place.write("copy.sql", COPY.format(
        settings=settings(place, ("parallelism.default", 1), ("restart-strategy.fixed-delay.attempts", 2)), source=data.folder, rate=40_000, output=f"s3://{place.bucket}/out",
        options="'s3.upload.min.part.size' = '5mb', 'sink.rolling-policy.file-size' = '1gb'"))
    job = cluster.submit(script)

    def parts():
        uploads = place.s3.list_multipart_uploads(Bucket=place.bucket).get("Uploads", [])
        return [upload for upload in uploads if place.s3.list_parts(Bucket=place.bucket, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts")]

    wait(parts, 60, "a part to be uploaded")
    before = cluster.completed(job)
    wait(lambda: cluster.completed(job) > before + 2, 30, "checkpoints that name the upload")
    for upload in parts():
        place.s3.abort_multipart_upload(Bucket=place.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    state = cluster.ended(job, 60)
    check(state["state"] == "FAILED", f"the job is {state['state']}")
    told = cluster.root_exception(job)
    check("lifecycle" in told or "NoSuchUpload" in told, f"the job failed with: {told}")
    say(told.splitlines()[0][:200])
