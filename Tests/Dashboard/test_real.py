"""The dashboard before real processes: a job that runs, a TaskManager that is killed, a job that is cancelled. Skipped where nothing is built."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from playwright.sync_api import expect

from browser import SHOTS, DashboardTest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("SWIFTWATER_BIN", ROOT / ".build" / "release"))
JOB = """SET 'pipeline.name' = 'orders <b>by customer</b>';
SET 'parallelism.default' = '2';
SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE orders (id BIGINT, customer INT, price DOUBLE, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'datagen', 'rows-per-second' = '2000', 'fields.customer.min' = '0', 'fields.customer.max' = '99');
CREATE TABLE highest (customer INT, price DOUBLE, orders BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO highest SELECT customer, MAX(price), COUNT(*)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY customer, window_start, window_end;
"""
# All rows have one key: four readers, as fast as they can, wait for one subtask.
HELD = """SET 'parallelism.default' = '4';
CREATE TABLE numbers (k INT, a DOUBLE, b DOUBLE) WITH ('connector' = 'datagen', 'rows-per-second' = '1000000000', 'fields.k.min' = '0', 'fields.k.max' = '0');
CREATE TABLE sums (k INT, a DOUBLE, b DOUBLE, c DOUBLE, d BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO sums SELECT k, SUM(a), MAX(b), AVG(a + b), COUNT(*) FROM numbers GROUP BY k;
"""


@unittest.skipUnless((BINARIES / "jobmanager").exists(), "the servers are not built")
class RealCluster(DashboardTest):
    # Of vertices without keys.
    may_be_missing = ("key-groups",)
    settings = ("rest.flamegraph.enabled=true", "rest.flamegraph.num-samples=20", "taskmanager.spot.watch=true", "spot.price-per-hour=0.03", "spot.on-demand-price-per-hour=0.1")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.folder.name)
        self.cluster("start", "--rest-port", "0", "--rpc-port", "0", *(word for setting in self.settings for word in ("-D", setting)))
        self.rest = "http://127.0.0.1:" + re.search(r"rest=(\d+)", (self.dir / "ports").read_text())[1]
        self.options = {"real": self.rest}
        super().setUp()

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            self.cluster("stop")
            self.folder.cleanup()

    def cluster(self, command, *arguments):
        subprocess.run([ROOT / "scripts" / "local-cluster", command, "--dir", self.dir, *arguments], check=True, capture_output=True, env={**os.environ, "SWIFTWATER_BIN": str(BINARIES)})

    def ask(self, path, body=None, method=None):
        request = urllib.request.Request(f"{self.rest}/{path}", data=json.dumps(body).encode() if body else None, headers={"Content-Type": "application/json"}, method=method)
        return json.load(urllib.request.urlopen(request, timeout=20))

    def until(self, what, seconds=60):
        deadline = time.time() + seconds
        while not (found := what()) and time.time() < deadline:
            time.sleep(0.3)
        self.assertTrue(found)
        return found

    def test_a_job_that_is_held_back_shows_where(self):
        job = self.ask("jobs", {"sql": HELD})["jobid"]
        self.until(lambda: self.ask(f"jobs/{job}")["state"] == "RUNNING")
        source = self.ask(f"jobs/{job}")["vertices"][0]["id"]
        self.until(lambda: self.ask(f"jobs/{job}/vertices/{source}/backpressure")["backpressureLevel"] == "high")
        self.open(f"jobs/{job}")
        expect(self.page.locator(".mood-backpressured")).not_to_have_count(0, timeout=60_000)
        expect(self.page.locator(".edge.is-held")).not_to_have_count(0, timeout=60_000)
        self.shoot_now("held")
        self.open(f"jobs/{job}/graph/{source}/backpressure")
        self.see("high")
        self.shoot_now("held-vertex")

    def test_a_job_that_moves_away_from_a_taskmanager(self):
        self.cluster("add")
        job = self.ask("jobs", {"sql": JOB})["jobid"]
        self.until(lambda: self.ask(f"jobs/{job}/checkpoints")["counts"]["completed"] > 2)
        used = {subtask["taskmanager-id"] for vertex in self.ask(f"jobs/{job}")["vertices"] for subtask in self.ask(f"jobs/{job}/vertices/{vertex['id']}")["subtasks"]}
        leaver = sorted(used)[0]
        self.open("spot")
        os.kill(int((self.dir / "pids" / f"{leaver}.pid").read_text()), signal.SIGTERM)
        change = self.until(lambda: next((each for each in self.ask("spot")["events"] if each["kind"] == "layout" and each["status"] == "COMPLETED"), None))
        self.assertEqual((change["cause"], leaver in change["taskmanagers-before"], leaver in change["taskmanagers"]), ("evacuation", True, False))
        self.until(lambda: [each["kind"] for each in self.ask("spot")["events"] if each.get("taskmanager-id") == leaver] == ["joined", "leaving", "left"])
        expect(self.page.locator("main tbody tr").first).to_contain_text("Evacuation", timeout=30_000)
        self.see(f"TaskManager {leaver} leaving")
        self.see("1 of 1")
        # It was on Spot as long as it lived, which is little money.
        self.see("Saved")
        self.assertGreater(self.until(lambda: self.ask("spot")["savings"]["spot-hours"]), 0)
        self.shoot_now("evacuated")
        self.page.locator("main tbody a").first.click()
        self.see("barrier injected")
        self.see("Rows waited at most")
        self.shoot_now("evacuation")
        self.open(f"jobs/{job}/rescales")
        self.see("Task manager leaving")
        self.page.locator("main tbody a").first.click()
        self.see("Preparing")
        self.shoot_now("layouts")
        self.assertEqual(self.ask(f"jobs/{job}")["restarts"], 0)

    def shoot_now(self, name):
        """Light and dark, on a screen and on a telephone."""
        if SHOTS:
            for scheme, width in (("light", 1400), ("dark", 1400), ("dark", 390)):
                self.page.emulate_media(color_scheme=scheme)
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.wait_for_timeout(300)
                self.shoot(f"{name}-{scheme}-{width}")
            self.page.set_viewport_size(self.viewport)

    def test_a_job_that_fails_says_why(self):
        (self.dir / "rows").mkdir()
        (self.dir / "rows" / "a.json").write_text('{"k": 1}\n{"k": "<b>two</b>"}\n')
        sql = f"CREATE TABLE r (k INT) WITH ('connector' = 'filesystem', 'path' = '{self.dir}/rows', 'format' = 'json');\n"
        job = self.ask("jobs", {"sql": sql + "CREATE TABLE b (k INT, n BIGINT) WITH ('connector' = 'blackhole');\nINSERT INTO b SELECT k, COUNT(*) FROM r GROUP BY k;"})["jobid"]
        self.until(lambda: self.ask(f"jobs/{job}")["state"] == "FAILED")
        self.open(f"jobs/{job}/exceptions")
        self.see("a.json")
        self.shoot_now("failed")
        self.open(f"jobs/{job}")
        self.see("Failed")
        self.shoot_now("failed-graph")

    def test_every_page_of_a_running_job(self):
        job = self.ask("jobs", {"sql": JOB})["jobid"]
        self.until(lambda: self.ask(f"jobs/{job}/checkpoints")["counts"]["completed"] > 2)
        source, windows = [vertex["id"] for vertex in self.ask(f"jobs/{job}")["vertices"]]
        worker = self.ask("taskmanagers")["taskmanagers"][0]["id"]
        self.until(lambda: len(self.ask(f"taskmanagers/{worker}/history")["timestamps"]) > 3)
        vertex = f"jobs/{job}/graph/{windows}"
        for name, route, text in [
            ("overview", "", "orders"), ("graph", f"jobs/{job}", "GlobalWindowAggregate"), ("subtasks", vertex, "Rate in"), ("charts", f"{vertex}/charts", "Event time behind the clock"),
            ("keys", f"{vertex}/keys", "Hottest key group"), ("plan", f"jobs/{job}/graph/{source}/plan", "Rate out"), ("watermarks", f"{vertex}/watermarks", "Behind the fastest"),
            ("metrics", f"{vertex}/metrics", "numRecordsSend"), ("checkpoints", f"jobs/{job}/checkpoints", "Completed"), ("timeline", f"jobs/{job}/timeline", "Running"), ("configuration", f"jobs/{job}/configuration", "execution.checkpointing.interval"),
            ("taskmanagers", "taskmanagers", worker), ("taskmanager", f"taskmanagers/{worker}", "Processor time"), ("jobmanager", "jobmanager", "Processor time"), ("logs", f"taskmanagers/{worker}/logs", "INFO"), ("threads", f"taskmanagers/{worker}/threads", "slot-0"),
        ]:
            self.open(route)
            self.see(text)
            self.shoot_now(f"page-{name}")

    def test_from_submitting_to_cancelling(self):
        self.open("submit")
        self.page.fill("#sql", JOB)
        self.click("Submit")
        expect(self.page.locator("h1")).to_contain_text("orders <b>by customer</b> Running")
        job = self.ask("jobs")["jobs"][0]["id"]
        expect(self.page.locator(".node-figures").first).to_contain_text(re.compile(r"in\s*(1\.[5-9]|2)[\d.]*k/s"), timeout=30_000)
        self.see("idle")
        vertices = [vertex["id"] for vertex in self.ask(f"jobs/{job}")["vertices"]]
        for tab in ("", "/charts", "/watermarks", "/backpressure", "/keys", "/flame", "/taskmanagers", "/metrics", "/plan"):
            self.open(f"jobs/{job}/graph/{vertices[-1]}{tab}")
            expect(self.page.locator(".skeleton")).to_have_count(0)
        for route in ("", "spot", "taskmanagers", "taskmanagers/taskmanager-1", "taskmanagers/taskmanager-1/logs", "jobmanager", "jobmanager/config", *(f"jobs/{job}/{tab}" for tab in ("timeline", "rescales", "configuration"))):
            self.open(route)
            expect(self.page.locator(".skeleton")).to_have_count(0)
        self.open("taskmanagers/taskmanager-1/logs")
        self.see("Registered at the JobManager")
        self.open("jobmanager/threads")
        self.see("jm-io-0")
        self.open(f"jobs/{job}/checkpoints")
        expect(self.page.locator("tbody tr").first).to_contain_text("Completed")
        self.page.locator("td a").first.click()
        self.see("Whole state")

        # A TaskManager is killed: the job recovers, and the page says why.
        worker = int((self.dir / "pids" / "taskmanager-1.pid").read_text())
        os.kill(worker, signal.SIGKILL)
        self.open(f"jobs/{job}/exceptions")
        expect(self.page.locator(".exception")).not_to_have_count(0, timeout=30_000)
        # Whoever notices first, that one was lost.
        expect(self.page.locator(".exception").first).to_contain_text("taskmanager-1", timeout=30_000)
        self.cluster("add")
        deadline = time.time() + 40
        while self.ask(f"jobs/{job}")["state"] != "RUNNING" and time.time() < deadline:
            time.sleep(0.3)
        self.open(f"jobs/{job}")
        expect(self.page.locator("h1")).to_contain_text("Running")
        self.see("1 restart")
        self.open("spot")
        self.see("taskmanager-1")
        self.open(f"jobs/{job}")

        self.click("Savepoint")
        self.click("Take it")
        self.see("The savepoint is complete", ".toasts")
        self.click("Cancel")
        self.click("Cancel the job")
        expect(self.page.locator("h1")).to_contain_text("Canceled")
