"""Every page, clicked through as an operator does, with a job that runs, one that is backpressured, one that fails and a machine that leaves."""

import pathlib
import random
import re
import unittest

from playwright.sync_api import expect

from browser import DashboardTest
from cluster import FAILED, FINISHED, RECORDED


class Pages(DashboardTest):
    def test_overview_shows_slots_jobs_and_machines(self):
        self.open()
        for text in ["13 of 16", "stock-ticker", "Restarting", "taskmanager-3 is being vacated", "Ended jobs"]:
            self.see(text)
        expect(self.page.locator(".job-card")).to_have_count(4)
        self.page.get_by_placeholder("Find a job").fill("no such job")
        self.see("No ended job matches.")

    def test_from_the_overview_to_a_job_and_through_its_tabs(self):
        self.open()
        self.page.get_by_role("link", name=re.compile("stock-ticker")).click()
        expect(self.page.locator("h1")).to_contain_text("stock-ticker")
        for tab, text in [("Checkpoints", "Completed"), ("Exceptions", "Nothing went wrong."), ("Timeline", "Running"), ("Layouts", "Recoverable failover"), ("Configuration", "Restart with fixed delay"), ("Graph", "Source: ticks")]:
            self.click(tab, "link", ".tabs")
            self.see(text)

    def test_the_graph_shows_rates_lags_and_load(self):
        self.open(f"jobs/{self.job('stock').id}")
        self.see("behind", ".edge-words")
        expect(self.page.locator(".card-node")).to_have_count(2)
        expect(self.page.locator(".edge-line")).to_have_count(1)
        expect(self.page.locator(".chart")).to_have_count(4)
        expect(self.page.locator(".chart-empty")).to_have_count(0)
        first = self.page.locator(".card-node .node-figures").first.inner_text()
        self.assertRegex(first, r"in\s*[\d.]+k/s\s*out\s*[\d.]+k/s")

    def test_a_vertex_answers_each_question(self):
        job = self.job("stock")
        self.open(f"jobs/{job.id}")
        self.page.locator(".card-node").nth(1).click()
        self.see("GlobalWindowAggregate → Calc → Sink: highest_prices", ".is-vertex")
        for tab, text in [("Watermarks", "Behind the fastest"), ("Backpressure", "Level"), ("Key groups", "Hottest key group"), ("TaskManagers", "Host"), ("Metrics", "numRecordsIn"), ("Plan", "Vertex id"), ("Plan", "Rate out"), ("Subtasks", "Rate in")]:
            self.click(tab, "link", ".is-vertex .tabs")
            self.see(text, ".is-vertex .tab")
        self.click("Close the vertex", "link")
        self.see("Vertices")

    def test_a_flame_graph_is_searched_and_looked_into(self):
        job = self.job("stock")
        self.server.cluster.started -= 10_000
        self.open(f"jobs/{job.id}/graph/{job.vertices[0].id}/flame")
        self.see("2,000 samples")
        self.page.get_by_placeholder("Find a function").fill("hashRows")
        self.see("13.0 % match")
        self.page.locator(".flame-cell", has_text="WindowAggregate").click()
        self.click("Show all")

    def test_a_flame_graph_that_is_not_ready_says_so(self):
        job = self.job("stock")
        self.open(f"jobs/{job.id}/graph/{job.vertices[0].id}/flame")
        self.see("Samples are being taken")
        expect(self.page.locator(".flame-cell").first).to_be_visible()

    def test_metrics_are_drawn_when_chosen(self):
        job = self.job("stock")
        self.open(f"jobs/{job.id}/graph/{job.vertices[0].id}/metrics")
        self.page.get_by_placeholder(re.compile("metrics")).fill("numRecordsOut")
        self.click("numRecordsOut", inside=".picks")
        expect(self.page.locator(".chart")).to_have_count(1)

    def test_checkpoints_down_to_subtasks(self):
        self.open(f"jobs/{self.job('stock').id}/checkpoints")
        self.see("503 SlowDown")
        expect(self.page.locator(".chart")).to_have_count(2)
        # The list ends five minutes ago, the charts go back an hour.
        self.assertGreater(self.minutes(".chart >> nth=0"), 25)
        self.click("Summary", "link")
        self.see("p99")
        self.click("Options", "link")
        self.see("every 2 s")
        self.click("History", "link")
        self.page.locator("td a").first.click()
        self.see("Whole state")
        self.page.get_by_role("link", name=re.compile("GlobalWindow")).click()
        self.see("Barrier came after")
        self.see("Over the subtasks")

    def test_exceptions_bring_the_log_lines_around_them(self):
        self.open(f"jobs/{self.job('clicks').id}/exceptions")
        self.see("503 SlowDown")
        self.see("1 more at the same time")
        self.page.locator(".exception-head").first.click()
        self.see("retried 5 times over 12 s")
        self.click("Log lines around it")
        expect(self.page.get_by_role("heading", name="JobManager")).to_be_visible()

    def test_a_vertex_opens_to_its_subtasks_in_the_timeline(self):
        self.open(f"jobs/{self.job('stock').id}/timeline")
        self.page.get_by_role("button", name=re.compile("Source: ticks")).click()
        self.see("subtask 3")

    def test_the_timeline_shows_every_run_of_a_job_that_restarted(self):
        job = self.job("clicks")
        self.open(f"jobs/{job.id}/timeline")
        runs = self.page.locator(".lane", has=self.page.get_by_text("Job", exact=True)).locator(".lane-span[title^='Running at']")
        expect(runs).to_have_count(job.restarts + 1)

    def test_the_charts_of_a_job_go_back_an_hour(self):
        self.open(f"jobs/{self.job('stock').id}")
        expect(self.page.locator(".chart")).to_have_count(4)
        for chart in range(4):
            self.assertGreater(self.minutes(f".chart >> nth={chart}"), 25)
            drawn = self.page.locator(f".chart >> nth={chart}").locator(".stroke").first.get_attribute("d")
            # From the left end of the axis on.
            self.assertLess(float(re.match(r"M([\d.]+)", drawn)[1]), 110)

    def minutes(self, chart):
        """What the axis of a chart covers, from its first tick to its last."""
        ticks = [text.split(":") for text in self.page.locator(chart).locator(".tick").all_text_contents()]
        first, last = (int(hours) * 60 + int(minutes) for hours, minutes, *_ in (ticks[0], ticks[-1]))
        return (last - first) % 1440

    def test_a_layout_opens_to_vertices_and_steps(self):
        self.open(f"jobs/{self.job('stock').id}/rescales")
        self.see("2 → 4")
        self.page.locator("td a").first.click()
        self.see("Waiting For Resources")
        self.see("Parallelism")

    def test_spot_tells_notices_moves_cost_and_savings(self):
        self.open("spot")
        for text in ["2 of 2", "$3.01", "taskmanager-3 is being vacated", "43 % of the on-demand price", "In progress"]:
            self.see(text)
        self.page.locator("tr", has_text="Completed").first.locator("a").click()
        for text in ["EC2 reclaims the instance in 2 minutes", "180 of 720", "Rows that waited", "barrier injected", "31 ms → 118 ms"]:
            self.see(text)
        self.page.get_by_role("button", name="1 day").click()
        self.click("Close", "link")
        self.is_gone(".steps")

    def test_taskmanagers_and_one_of_them(self):
        self.open("taskmanagers")
        self.see("leaving")
        self.page.get_by_role("link", name="taskmanager-2").click()
        # An hour of it, also for who has just come.
        self.see("Open files", ".charts")
        expect(self.page.locator(".charts .chart")).to_have_count(6)
        self.page.reload()
        self.see("Processor time", ".charts")
        self.see("Managed")
        for tab, text in [("Metrics", "Status.JVM.CPU.Load"), ("Logs", "checkpoint"), ("Output", "The file is empty."), ("Threads", "main")]:
            self.click(tab, "link", ".tabs")
            self.see(text)

    def test_a_log_is_narrowed(self):
        self.open("taskmanagers/taskmanager-2/logs")
        self.see("INFO", ".log")
        self.click("Errors")
        self.page.get_by_placeholder("Find in the log").fill("there is no such line")
        self.see("No line matches.")

    def test_the_jobmanager(self):
        self.open("jobmanager")
        for tab, text in [("Configuration", "blob.server.port"), ("Metrics", "taskSlotsTotal"), ("Threads", "main"), ("Logs", "ClusterEntrypoint"), ("About", "Revision")]:
            self.click(tab, "link", ".tabs")
            self.see(text)

    def test_ended_jobs_of_a_real_flink(self):
        self.open(f"jobs/{FAILED}/exceptions")
        expect(self.page.locator(".exception")).not_to_have_count(0)
        self.is_gone(".actions button")
        self.open(f"jobs/{FINISHED}")
        self.see("Finished")
        self.open(f"jobs/{RECORDED}")
        self.see("GlobalWindowAggregate")

    may_be_missing = (f"jobs/{FAILED}/", f"jobs/{FINISHED}/")

    def test_a_backpressured_job_shows_where_it_is_held(self):
        self.open(f"jobs/{self.job('orders').id}")
        expect(self.page.locator(".mood-backpressured")).to_have_count(2)
        expect(self.page.locator(".mood-busy")).to_have_count(1)
        expect(self.page.locator(".edge.is-held")).not_to_have_count(0)

    def test_a_failing_job_and_markup_in_its_names(self):
        self.open(f"jobs/{self.job('clicks').id}")
        expect(self.page.locator("h1")).to_contain_text("<script>alert('markup')</script>")
        self.see("7 restarts")
        expect(self.page.locator(".mood-waiting")).to_have_count(2)
        self.is_gone("main img")
        self.is_gone("main script")

    def test_links_to_flinks_pages_lead_to_ours(self):
        job = self.job("stock").id
        for address, heading, tab in [
            ("job-manager/logs", "JobManager", "Logs"), ("task-manager/taskmanager-1/thread-dump", "taskmanager-1", "Threads"), (f"job/running/{job}/checkpoints", "stock-ticker", "Checkpoints"),
            (f"job/{job}/overview", "stock-ticker", "Graph"), ("jobmanager/logs", "JobManager", "Logs"), ("taskmanager/taskmanager-1/logs", "taskmanager-1", "Logs"),
        ]:
            with self.subTest(address):
                self.open(address)
                expect(self.page.locator("h1")).to_contain_text(heading)
                expect(self.page.locator(".tabs [aria-current=page]").first).to_contain_text(tab)

    def test_unknown_things_are_said_plainly(self):
        self.expected = [400, 404]
        for route, text in [("nowhere", "There is no such page."), ("jobs/" + "0" * 32, "not found"), ("jobs/xyz", "Cannot resolve"), ("taskmanagers/nobody", "not found")]:
            self.open(route)
            self.see(text)


class WithoutOptionalPaths(DashboardTest):
    """An older or smaller server: every page is there, and nothing breaks."""

    options = {"bare": True}
    may_be_missing = ("history", "spot", "explain", "config", "rescales", "resource-requirements", "watermarks", "backpressure", "key-groups", "metrics", "flamegraph", "subtasktimes", "thread-dump", "log", "stdout", "environment", "jars", "subtasks", "taskmanagers")

    def test_every_page_is_there(self):
        job = self.job("orders")
        vertex = job.vertices[3].id
        routes = ["", "spot", "taskmanagers", "taskmanagers/taskmanager-1", "jobmanager", "submit", f"jobs/{job.id}"]
        routes += [f"jobs/{job.id}/{tab}" for tab in ("checkpoints", "checkpoints/3", "exceptions", "timeline", "rescales", "configuration")]
        routes += [f"jobs/{job.id}/graph/{vertex}/{tab}" for tab in ("subtasks", "watermarks", "backpressure", "keys", "flame", "taskmanagers", "metrics", "plan")]
        routes += [f"{process}/{tab}" for process in ("taskmanagers/taskmanager-1", "jobmanager") for tab in ("metrics", "logs", "output", "threads")]
        for route in routes:
            with self.subTest(route):
                self.open(route)
                expect(self.page.locator(".skeleton")).to_have_count(0)
                self.is_gone("main > .trouble")

    def test_rates_come_from_two_answers(self):
        self.open(f"jobs/{self.job('stock').id}")
        expect(self.page.locator(".node-figures").first).to_contain_text(re.compile(r"in\s*[3-6][\d.]*k/s"))
        expect(self.page.locator(".load-bar .is-busy").first).to_be_attached()

    def test_what_is_missing_is_asked_once(self):
        self.open(f"jobs/{self.job('stock').id}")
        self.page.wait_for_timeout(2500)
        asked = [url for url in self.requests if url.endswith("/history")]
        self.assertEqual(len(asked), 1)


class StrangeAnswers(DashboardTest):
    """Members that are missing, null or no numbers: a dash stands there, the page stays."""

    def test_what_is_missing_in_an_answer_spoils_no_page(self):
        whole, chance = self.server.cluster.answer, random.Random(7)
        kept = {"jid", "id", "vertices", "nodes", "jobs", "taskmanagers", "name", "features", "subtasks"}

        def spoiled(value, how):
            if isinstance(value, list):
                return [spoiled(each, how) for each in value]
            if not isinstance(value, dict):
                return value
            return {name: None if how == "null" and chance.random() < 0.15 and name not in kept else spoiled(each, how) for name, each in value.items() if not (how == "gone" and chance.random() < 0.15 and name not in kept)}

        job, ticker = self.job("orders"), self.job("stock")
        vertex = job.vertices[3].id
        routes = ["", "spot", "spot/c4", "taskmanagers/taskmanager-2", "taskmanagers/taskmanager-2/threads", "jobmanager", f"jobs/{job.id}", f"jobs/{self.job('clicks').id}/exceptions"]
        routes += [f"jobs/{ticker.id}/{tab}" for tab in ("checkpoints", "checkpoints/summary", "checkpoints/5", f"checkpoints/5/{ticker.vertices[0].id}", "timeline", "rescales", "configuration")]
        routes += [f"jobs/{job.id}/graph/{vertex}/{tab}" for tab in ("subtasks", "charts", "watermarks", "backpressure", "keys", "taskmanagers", "metrics", "plan")]
        for how in ("null", "gone"):
            self.server.cluster.answer = lambda method, path, *rest: whole(method, path, *rest) if path == "/config" else spoiled(whole(method, path, *rest), how)
            for route in routes:
                with self.subTest(route, how=how):
                    self.open(route)
                    expect(self.page.locator(".skeleton")).to_have_count(0)
                    self.is_gone("main .page > .trouble")


class Files(unittest.TestCase):
    """What is embedded is what lies in the folder, and it is small."""

    root = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "DashboardFiles"
    web = sorted(str(path).split("/DashboardFiles/web/")[1] for path in (root / "web").rglob("*") if path.is_file())

    def test_the_table_names_every_file_in_order(self):
        table = (self.root / "files.c").read_text()
        self.assertEqual(re.findall(r'FILE_AT\("([^"]+)"', table), self.web)
        self.assertEqual(re.findall(r'#embed "web/([^"]+)"', table), self.web)

    def test_all_modules_are_preloaded(self):
        index = (self.root / "web" / "index.html").read_text()
        self.assertEqual(sorted(re.findall(r'modulepreload" href="([^"]+)"', index)), [name for name in self.web if name.startswith(("lib/", "pages/"))])

    def test_250_kilobytes_in_all(self):
        self.assertLessEqual(sum((self.root / "web" / name).stat().st_size for name in self.web), 250_000)

    def test_nothing_comes_from_elsewhere(self):
        for name in self.web:
            text = (self.root / "web" / name).read_text()
            self.assertEqual([url for url in re.findall(r"https?://[^\s\"'`)]+", text) if url != "http://www.w3.org/2000/svg"], [], name)
            self.assertNotIn("innerHTML", text, name)

    def test_the_fixture_sends_what_the_server_sends(self):
        import fixture_server
        words = "".join(re.findall(r'"((?:default-src|frame-ancestors)[^"]*)"', (self.root / "files.c").read_text()))
        self.assertEqual(words, fixture_server.POLICY)


if __name__ == "__main__":
    unittest.main()
