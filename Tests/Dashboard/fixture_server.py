#!/usr/bin/env python3
"""Serves the dashboard's files beside a pretended cluster, or before a real one, as the JobManager's REST server does.

usage: fixture_server.py [--port 8081] [--prefix /proxy/swiftwater] [--bare | --read-only | --token T | --real http://127.0.0.1:8081]
"""

import argparse
import http.server
import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

from cluster import Answer, Cluster

WEB = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "DashboardFiles" / "web"
KINDS = {".html": "text/html; charset=UTF-8", ".js": "text/javascript; charset=UTF-8", ".css": "text/css; charset=UTF-8", ".svg": "image/svg+xml"}
# Nothing but our own files may run, load or be sent to.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def make_handler(prefix="", real=None):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def send(self, status, kind, body, headers=()):
            self.send_response(status)
            for name, value in [("Content-Type", kind), ("Content-Length", str(len(body))), ("X-Content-Type-Options", "nosniff"), *headers]:
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            cluster = self.server.cluster
            if cluster is None:  # As of a process that is gone: connections break.
                self.close_connection = True
                return
            path, _, query = self.path.partition("?")
            if not path.startswith(prefix):
                return self.send(404, "text/plain", b"outside the prefix")
            path = path[len(prefix):] or "/"
            file = self.file(path) if self.command in ("GET", "HEAD") else None
            if file:
                return self.send(200, KINDS[file.suffix], file.read_bytes(), [("Content-Security-Policy", POLICY), ("Cache-Control", "no-cache"), ("Referrer-Policy", "no-referrer")])
            try:
                answer = self.from_real(path, query, body) if real else cluster.answer(self.command, path, dict(urllib.parse.parse_qsl(query)), body, (self.headers.get("Authorization") or "").removeprefix("Bearer "))
                self.send(200, "application/json; charset=UTF-8", json.dumps(answer).encode())
            except Answer as answer:
                self.send_part(answer)

        def send_part(self, answer):
            """`Range: bytes=-N` asks for the end of a log."""
            wanted = self.headers.get("Range", "")
            if answer.status == 200 and answer.kind.startswith("text/plain") and wanted.startswith("bytes=-"):
                start = max(0, len(answer.body) - int(wanted.removeprefix("bytes=-")))
                return self.send(206, answer.kind, answer.body[start:], [("Content-Range", f"bytes {start}-{len(answer.body) - 1}/{len(answer.body)}")])
            self.send(answer.status, answer.kind, answer.body)

        def file(self, path):
            file = (WEB / (path.lstrip("/") or "index.html")).resolve()
            return file if file.is_file() and WEB in file.parents and file.suffix in KINDS else None

        def from_real(self, path, query, body):
            headers = {name: self.headers[name] for name in ("Content-Type", "Authorization", "Range") if self.headers.get(name)}
            request = urllib.request.Request(real + path + ("?" + query if query else ""), data=body or None, headers=headers, method=self.command)
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    raise Answer(response.status, response.read(), response.headers.get("Content-Type", "application/json"))
            except urllib.error.HTTPError as error:
                raise Answer(error.code, error.read(), error.headers.get("Content-Type", "application/json"))

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    return Handler


def serve(port=0, **options):
    """A server that listens; its port is `server.server_address[1]`."""
    prefix, real = options.pop("prefix", ""), options.pop("real", None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), make_handler(prefix, real))
    server.daemon_threads = True
    server.cluster = Cluster(**options)
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--token")
    parser.add_argument("--real")
    server = serve(**vars(parser.parse_args()))
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
