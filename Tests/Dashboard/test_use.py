"""What operators do: change things, type SQL, use the keyboard, sign in, come by telephone, lose the connection."""

import re
import sys
import threading

from playwright.sync_api import expect

import fixture_server
from browser import DashboardTest


class Actions(DashboardTest):
    def test_a_savepoint_tells_its_path(self):
        self.open(f"jobs/{self.job('stock').id}")
        self.click("Savepoint")
        self.page.get_by_label("Folder").fill("s3://elsewhere")
        self.click("Take it")
        self.see("The savepoint is complete: s3://savepoints/savepoint-", ".toasts")

    def test_cancel_asks_first(self):
        job = self.job("stock")
        self.open(f"jobs/{job.id}")
        self.click("Cancel")
        self.click("Back", inside="dialog")
        self.assertEqual(job.state, "RUNNING")
        self.click("Cancel")
        self.click("Cancel the job")
        expect(self.page.locator("h1")).to_contain_text("Canceled")
        self.is_gone(".actions button")

    def test_stop_takes_a_savepoint(self):
        self.open(f"jobs/{self.job('stock').id}")
        self.click("Stop")
        self.page.get_by_label("Drain").check()
        self.click("Stop it")
        self.see("its savepoint: s3://", ".toasts")
        expect(self.page.locator("h1")).to_contain_text("Finished")

    def test_rescale_refuses_what_cannot_be(self):
        job = self.job("stock")
        self.open(f"jobs/{job.id}")
        self.click("Rescale")
        field = self.page.locator("dialog").get_by_label(re.compile("Source: ticks"))
        field.fill("2.5")
        self.page.locator("dialog form").evaluate("form => form.noValidate = true")
        self.click("Rescale", inside="dialog")
        self.see("a whole number from 1 to 720", "dialog")
        field.fill("8")
        self.click("Rescale", inside="dialog")
        self.see("×8", ".graph")
        self.assertEqual(job.vertices[0].parallelism, 8)

    def test_a_refusal_is_shown(self):
        self.expected = [403]
        self.open(f"jobs/{self.job('stock').id}")
        self.click("Savepoint")
        self.server.cluster.read_only = True
        self.click("Take it")
        self.see("set rest.authentication.token", ".toasts")


class SQL(DashboardTest):
    def test_the_plan_appears_and_the_error_stands_under_its_place(self):
        self.open("submit")
        self.click("Put in an example")
        self.see("insert-into_highest")
        expect(self.page.locator(".plans .card-node")).to_have_count(2)
        text = self.page.input_value("#sql")
        self.page.fill("#sql", text.replace("MAX(price)", "MAX(pric )"))
        expect(self.page.locator(".caret-words")).to_have_text("column 'pric' not found. did you mean 'price'?")
        caret, line = self.page.locator(".caret").bounding_box(), text[: text.index("MAX(")].count("\n")
        editor = self.page.locator(".editor").bounding_box()
        self.assertAlmostEqual(caret["y"], editor["y"] + 12 + 20 * line, delta=2)
        self.page.get_by_role("button", name=re.compile("Line 12")).click()
        self.assertEqual(self.page.evaluate("getSelection().toString()"), "pric")

    def test_control_enter_submits_and_leads_to_the_job(self):
        self.open("submit")
        self.page.fill("#sql", "INSERT INTO a SELECT 1")
        self.page.keyboard.press("Control+Enter")
        expect(self.page.locator("h1")).to_contain_text("submitted from the page")

    def test_a_refused_script_is_marked_too(self):
        self.expected = [400]
        self.open("submit")
        self.page.fill("#sql", "SELECT pric FROM a")
        self.click("Submit")
        self.see("Line 1, column 8")

    def test_stored_scripts_run_and_go(self):
        self.open("submit")
        self.click("Delete")
        self.click("Delete", inside="dialog")
        self.see("No script is stored.")


class Keyboard(DashboardTest):
    def test_pages_by_two_keys(self):
        self.open()
        for key, title in [("s", "Spot"), ("t", "TaskManagers"), ("m", "JobManager"), ("n", "Submit SQL"), ("o", "Overview")]:
            self.page.evaluate("document.activeElement.blur()")
            self.page.keyboard.press("g")
            self.page.keyboard.press(key)
            expect(self.page.locator("h1")).to_have_text(title)

    def test_control_k_goes_to_a_job(self):
        self.open("spot")
        self.page.keyboard.press("Control+k")
        self.page.get_by_label("Go to", exact=True).last.fill("ticker")
        self.page.keyboard.press("Enter")
        expect(self.page.locator("h1")).to_contain_text("stock-ticker")

    def test_the_graph_is_walked_with_arrows(self):
        self.open(f"jobs/{self.job('orders').id}")
        self.page.locator(".card-node").first.focus()
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("ArrowRight")
        self.page.keyboard.press("Enter")
        self.see("TemporalJoin(rates)", ".is-vertex h2")

    def test_focus_and_text_survive_refreshing(self):
        self.open("taskmanagers/taskmanager-2/metrics")
        self.page.keyboard.press("/")
        self.page.keyboard.type("CPU")
        self.page.wait_for_timeout(2500)
        self.page.keyboard.type(".Load")
        self.assertEqual(self.page.locator("[data-filter]").input_value(), "CPU.Load")
        expect(self.page.locator("tbody tr")).to_have_count(1)

    def test_pause_theme_keys_and_escape(self):
        self.open()
        self.page.keyboard.press("p")
        self.see("Paused", ".side")
        before = len(self.requests)
        self.page.wait_for_timeout(1500)
        self.assertEqual(len(self.requests), before)
        self.page.keyboard.press("d")
        self.assertEqual(self.page.evaluate("document.documentElement.dataset.theme"), "dark")
        self.page.keyboard.press("?")
        self.see("Find in this page's list", "dialog")
        self.page.keyboard.press("Escape")
        self.is_gone("dialog")

    def test_a_chart_is_read_with_arrows(self):
        self.open(f"jobs/{self.job('stock').id}")
        chart = self.page.locator(".chart-space").first
        chart.focus()
        self.page.keyboard.press("ArrowLeft")
        expect(self.page.locator(".cross").first).to_be_attached()

    def test_everything_that_can_be_pressed_has_a_name(self):
        job = self.job("stock")
        for route in ["", "spot", "submit", f"jobs/{job.id}", f"jobs/{job.id}/graph/{job.vertices[0].id}", "taskmanagers/taskmanager-1/logs"]:
            self.open(route)
            nameless = self.page.evaluate("""[...document.querySelectorAll('button,a,input,select,textarea')].filter(each => !(each.textContent.trim() || each.getAttribute('aria-label') || each.title || each.labels?.length || each.type === 'file')).map(each => each.outerHTML.slice(0, 120))""")
            self.assertEqual(nameless, [], route)


class ReadOnly(DashboardTest):
    options = {"read_only": True}

    def test_nothing_can_be_changed(self):
        self.open(f"jobs/{self.job('stock').id}")
        self.see("Read-only", ".side")
        self.is_gone(".actions button")
        expect(self.page.get_by_role("link", name="Submit SQL")).to_have_count(0)


class Token(DashboardTest):
    options = {"token": "open sesame"}

    def test_signing_in(self):
        self.expected = [401]
        self.page.goto(self.base)
        self.see("wants its bearer token", "dialog")
        self.page.get_by_label("Token").fill("wrong")
        self.click("Sign in")
        self.see("The server refused that token.", "dialog")
        self.page.get_by_label("Token").fill("open sesame")
        self.click("Sign in")
        self.see("stock-ticker")
        self.page.reload()
        self.see("stock-ticker")


class BehindAProxy(DashboardTest):
    options = {"prefix": "/proxy/swiftwater"}

    def test_all_paths_are_relative(self):
        job = self.job("stock")
        self.open(f"jobs/{job.id}/graph/{job.vertices[0].id}")
        self.see("Rate in")
        self.assertEqual([url for url in self.requests if not url.startswith(self.base)], [])


class Connection(DashboardTest):
    def test_a_lost_jobmanager_is_said_and_found_again(self):
        self.open()
        port = self.server.server_address[1]
        self.server.cluster = None
        self.server.shutdown()
        self.server.server_close()
        self.see("The JobManager does not answer.")
        self.see("stock-ticker")
        self.server = fixture_server.serve(port)
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()
        self.is_gone("main > .banner")
        self.see("Live", ".side")

    def console(self, message):
        if "ERR_CONNECTION_REFUSED" not in message.text and "net::ERR" not in message.text:
            super().console(message)


class Speed(DashboardTest):
    def test_everything_is_250_kilobytes_and_the_first_paint_is_told(self):
        paints = []
        for _ in range(5):
            self.page.goto("about:blank")
            self.open()
            paints.append(self.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        # All files, without the answers of the API. How long it takes is the machine's affair: 300 ms are meant.
        loaded = self.page.evaluate("performance.getEntries().filter(entry => entry.initiatorType !== 'fetch').reduce((sum, entry) => sum + (entry.encodedBodySize ?? 0), 0)")
        print(f"first paint after {sorted(round(paint) for paint in paints)} ms, {loaded} bytes in all", file=sys.stderr)
        self.assertTrue(100_000 < loaded <= 250_000, loaded)

    def test_a_refresh_of_a_job_asks_little(self):
        self.open(f"jobs/{self.job('orders').id}")
        self.page.wait_for_timeout(1500)
        self.requests.clear()
        self.page.wait_for_timeout(5000)
        # The job, its history, its checkpoints: three requests a second here, one a second in earnest.
        self.assertLessEqual(len(self.requests), 3 * 6)


class Telephone(DashboardTest):
    viewport = {"width": 390, "height": 844}
    scheme = "dark"

    def test_no_page_is_wider_than_the_screen(self):
        job = self.job("orders")
        vertex = job.vertices[3].id
        routes = ["", "spot", "spot/c4", "taskmanagers", "taskmanagers/taskmanager-2", "taskmanagers/taskmanager-2/logs", "jobmanager", "jobmanager/config", "submit", f"jobs/{job.id}"]
        routes += [f"jobs/{job.id}/{tab}" for tab in ("checkpoints", "exceptions", "timeline", "rescales", "configuration")] + [f"jobs/{job.id}/graph/{vertex}/{tab}" for tab in ("subtasks", "keys", "flame")]
        for route in routes:
            with self.subTest(route):
                self.open(route)
                expect(self.page.locator(".skeleton")).to_have_count(0)
                self.assertLessEqual(self.page.evaluate("document.documentElement.scrollWidth"), 390)

    def test_pages_are_at_the_bottom(self):
        self.open()
        self.click("Spot", "link", ".places")
        expect(self.page.locator("h1")).to_have_text("Spot")

    def test_the_chosen_tab_and_the_values_of_keys_are_in_sight(self):
        self.open(f"jobs/{self.job('orders').id}/configuration")
        expect(self.page.locator(".tabs [aria-current]").first).to_be_in_viewport(ratio=0.9)
        expect(self.page.locator("table td:nth-child(2)").last).to_be_visible()
        self.assertEqual(self.page.evaluate("[...document.querySelectorAll('.table-scroll')].filter(part => part.scrollWidth > part.clientWidth).length"), 0)

    def test_words_can_be_told_from_the_ground(self):
        contrast = """names => { const style = getComputedStyle(document.documentElement); const probe = document.createElement('i'); document.body.append(probe);
          const light = name => { probe.style.color = style.getPropertyValue(name); const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255).map(part => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4); return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2]; };
          return names.map(([text, ground]) => { const [a, b] = [light(text), light(ground)].sort((x, y) => y - x); return [text, ground, (a + .05) / (b + .05)]; }); }"""
        pairs = [[text, ground] for text in ("--text", "--quiet", "--accent", "--good", "--warm", "--bad", "--cool") for ground in ("--surface", "--ground")]
        pairs += [["--good", "--good-soft"], ["--warm", "--warm-soft"], ["--bad", "--bad-soft"], ["--cool", "--cool-soft"], ["--accent", "--accent-soft"], ["--on-accent", "--accent"]]
        self.open()
        for theme in ("dark", "light"):
            self.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            weak = [each for each in self.page.evaluate(contrast, pairs) if each[2] < 4.4]
            self.assertEqual(weak, [], theme)
