"""A browser and a fixture server for a test; whatever goes wrong in the page fails the test."""

import atexit
import functools
import os
import pathlib
import threading
import unittest

from playwright.sync_api import expect, sync_playwright

import fixture_server

SHOTS = os.environ.get("DASHBOARD_SCREENSHOTS")


@functools.cache
def browser():
    """One for all tests: starting it takes seconds."""
    playwright = sync_playwright().start()
    started = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"])
    atexit.register(lambda: (started.close(), playwright.stop()))
    return started


class DashboardTest(unittest.TestCase):
    """`self.page` is open at a fixture server's dashboard. Options of the server: class attribute `options`."""

    options = {}
    viewport = {"width": 1400, "height": 900}
    scheme = "light"
    # Paths (without the leading slash) that may answer 404, as an older server does; an entry ends where an id begins.
    may_be_missing = ()

    def setUp(self):
        self.server = fixture_server.serve(**self.options)
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}{self.options.get('prefix', '')}/"
        self.troubles, self.expected, self.requests = [], [], []
        self.context = browser().new_context(viewport=self.viewport, color_scheme=self.scheme, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.set_default_timeout(8000)
        self.page.on("console", lambda message: self.console(message))
        self.page.on("pageerror", lambda error: self.troubles.append(f"error in the page: {error}"))
        self.page.on("dialog", lambda dialog: (self.troubles.append(f"markup ran: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("response", lambda response: self.response(response))

    def console(self, message):
        # Chromium says every failed request here too; `response` judges those.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.troubles.append(f"console: {message.text}")

    def response(self, response):
        if response.status < 400:
            return
        path = response.url.removeprefix(self.base).split("?")[0]
        if response.status in (404, 405, 501) and any(part in path for part in self.may_be_missing):
            return
        if response.status in self.expected:
            return
        self.troubles.append(f"{response.request.method} {path} answered {response.status}")

    def tearDown(self):
        if SHOTS and not self.page.is_closed():
            self.shoot(self._testMethodName)
        self.context.close()
        self.server.shutdown()
        self.server.server_close()
        self.assertEqual(self.troubles, [])

    # What tests say

    def open(self, route=""):
        self.page.goto(f"{self.base}#/{route}")
        expect(self.page.locator("main h1, main .trouble, main .empty").first).to_be_visible()
        return self.page

    def shoot(self, name):
        pathlib.Path(SHOTS).mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=f"{SHOTS}/{type(self).__name__}-{name}.png", full_page=True)

    def job(self, beginning):
        return next(job for job in self.server.cluster.jobs if job.name.startswith(beginning))

    def see(self, text, inside="main", exact=False):
        expect(self.page.locator(inside).get_by_text(text, exact=exact).first).to_be_visible()

    def is_gone(self, selector):
        expect(self.page.locator(selector)).to_have_count(0)

    def click(self, name, role="button", inside="body"):
        self.page.locator(inside).get_by_role(role, name=name).first.click()
