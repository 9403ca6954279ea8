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

from browser import DashboardTest

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


@unittest.skipUnless((BINARIES / "jobmanager").exists(), "the servers are not built")
class RealCluster(DashboardTest):
    # Until the server has them all.
    may_be_missing = ("rescales", "key-groups")

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.folder.name)
        self.cluster("start", "--rest-port", "0", "--rpc-port", "0", "-D", "rest.flamegraph.enabled=true", "-D", "rest.flamegraph.num-samples=20")
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
