"""A proxy in front of an S3 server that fails as S3 does: throttles, loses answers of calls that did happen, is slow."""
import collections
import http.client
import http.server
import random
import threading
import urllib.parse

SLOW_DOWN = (b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>'
             b"<RequestId>PROXY0000000000</RequestId></Error>")
DENIED = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>PROXY0000000001</RequestId></Error>'


class FaultProxy:
    """`throttled` and `lost`: percent of requests that get 503 and do not happen, and that happen and are answered by nobody.

    What is in `denied` (operations) gets 403 and does not happen. `counts` has how often (operation, outcome) was; `calm()` ends the faults.
    """

    def __init__(self, upstream, throttled=0, lost=0, seed=20261122):
        self.upstream = urllib.parse.urlsplit(upstream).netloc
        self.throttled, self.lost, self.denied = throttled, lost, ()
        self.chance, self.lock = random.Random(seed), threading.Lock()
        self.counts = collections.Counter()
        handler = type("Handler", (Handler,), {"proxy": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # Clients that are killed break their connections.
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def calm(self):
        self.throttled = self.lost = 0

    def outcome(self, operation):
        with self.lock:
            number = self.chance.random() * 100
            outcome = "denied" if operation in self.denied else "throttled" if number < self.throttled else "lost" if number < self.throttled + self.lost else "answered"
            self.counts[operation, outcome] += 1
            return outcome


def operation(method, path):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query, keep_blank_values=True)
    if "uploads" in query:
        return "CreateMultipartUpload" if method == "POST" else "ListMultipartUploads"
    if "uploadId" in query:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}.get(method, "ListParts")
    if "list-type" in query:
        return "ListObjectsV2"
    return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}.get(method, method)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        outcome = self.proxy.outcome(operation(self.command, self.path))
        if outcome == "throttled":
            return self.answer(503, [("content-type", "application/xml")], b"" if self.command == "HEAD" else SLOW_DOWN)
        if outcome == "denied":
            return self.answer(403, [("content-type", "application/xml")], b"" if self.command == "HEAD" else DENIED)
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            # The host is part of the signature: it stays the proxy's.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            answer = response.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            connection.close()
        if outcome == "lost":
            self.close_connection = True
            return
        headers = [(name, value) for name, value in response.getheaders() if name.lower() not in ("content-length", "transfer-encoding", "connection", "date")]
        length = response.getheader("content-length") if self.command == "HEAD" else None
        self.answer(response.status, headers, answer, length)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = pass_on

    def answer(self, status, headers, body, length=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", length if length is not None else str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # Whoever asked was killed.
