"""Jobs that start from savepoints of others: files in a bucket are ended once, whoever goes on."""
from cluster import Failure, wait

from clustertests import ticks
from clustertests.harness import check, say, story

from .sink import COPY, answer, lines, settings


class Copy:
    """A job that writes one large file after the other, and jobs from its savepoints."""

    def __init__(self, place, taskmanagers):
        self.place = place
        self.data = ticks.Ticks(place.path("ticks"), rows=120_000, tickers=20, rows_a_file=120_000)
        self.cluster = place.cluster(taskmanagers=taskmanagers, slots=1, settings=[f"execution.checkpointing.dir=s3://{place.bucket}/recovery"])
        self.script = place.write("copy.sql", COPY.format(
            settings=settings(place, ("parallelism.default", 1)), source=self.data.folder, rate=8_000, output=f"s3://{place.bucket}/out",
            options="'s3.upload.min.part.size' = '5mb', 'sink.rolling-policy.file-size' = '60mb'"))
        self.job = self.cluster.submit(self.script)
        wait(lambda: self.parts() > 0, 60, "a part of the open file")

    def parts(self):
        """Of all open uploads."""
        s3, bucket = self.place.s3, self.place.bucket
        uploads = s3.list_multipart_uploads(Bucket=bucket, Prefix="out/").get("Uploads", [])
        return sum(len(s3.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]).get("Parts", [])) for upload in uploads)

    def savepoint(self, job):
        words = self.cluster.client("savepoint", job, f"s3://{self.place.bucket}/saved").split()
        return [word for word in words if word.startswith("s3")][-1]

    def start(self, savepoint):
        words = self.cluster.client("submit", self.script, "--detached", "-s", savepoint).split()
        return words[words.index("JobID") + 1]

    def goes_on(self, job, checkpoints=3):
        before = self.cluster.completed(job)
        wait(lambda: self.cluster.completed(job) >= before + checkpoints, 60, f"checkpoints of {job}")

    def finish(self, job):
        state = self.cluster.ended(job, 120)
        check(state["state"] == "FINISHED" and state["restarts"] == 0,
              f"{job} is {state['state']} after {state['restarts']} restarts: {self.cluster.root_exception(job)}")

    def rows(self):
        """How often each row is there. Throws unless all are."""
        counts = {}
        for line in lines(self.place, "out/"):
            counts[line] = counts.get(line, 0) + 1
        missing = set(answer(self.data)) - set(counts)
        check(not missing and len(counts) == self.data.rows, f"{len(missing)} rows are missing, {len(counts)} are there")
        return counts


@story
def a_second_job_from_a_savepoint_and_the_first_both_go_on(place):
    copy = Copy(place, taskmanagers=2)
    second = copy.start(copy.savepoint(copy.job))
    copy.goes_on(copy.job)
    copy.goes_on(second)
    for _ in range(10):
        checkpoint, refused = copy.cluster.get(f"/jobs/{copy.job}/checkpoints")["latest"]["completed"]["external_path"], ""
        try:
            copy.start(checkpoint)
        except Failure as error:
            refused = str(error)
        if "there is no _metadata" not in refused:  # The job had a newer one before it was asked for.
            break
    check("still runs" in refused, f"a start from a checkpoint of a job that runs gave: {refused or 'another job'}")
    copy.finish(copy.job)
    copy.finish(second)
    counts = list(copy.rows().values())
    twice = counts.count(2)
    check(set(counts) == {1, 2} and 0 < twice < len(counts), "rows before the savepoint are there once, those after it once of each job")
    say(f"{len(counts) - twice} rows before the savepoint, {twice} of both jobs after it")


@story
def an_older_savepoint_that_was_restored_leaves_the_newer_one_whole(place):
    copy = Copy(place, taskmanagers=1)
    older = copy.savepoint(copy.job)
    copy.goes_on(copy.job)
    newer = copy.savepoint(copy.job)
    copy.cluster.client("cancel", copy.job)
    copy.cluster.ended(copy.job, 30)
    second = copy.start(older)
    copy.goes_on(second)
    copy.cluster.client("cancel", second)
    copy.cluster.ended(second, 30)
    copy.finish(copy.start(newer))
    counts = list(copy.rows().values())
    check(max(counts) <= 3, f"rows are there {max(counts)} times")
    say(f"{counts.count(1)} rows once, {len(counts) - counts.count(1)} of several jobs")
