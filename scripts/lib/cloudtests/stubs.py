"""IMDSv2 and the EKS Pod Identity agent, as far as SDKs ask them; both give credentials that live for an hour. And a server that fails at times."""
import http.client
import http.server
import json
import random
import ssl
import threading
import time
import urllib.parse


class Stub:
    """An HTTP server on a free port of loopback. `asked` keeps (method, path, status) of each request."""

    def __init__(self, answer):
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(handler):
                handler.rfile.read(int(handler.headers.get("content-length") or 0))
                status, body = answer(handler.command, handler.path, handler.headers)
                self.asked.append((handler.command, handler.path, status))
                data = body.encode()
                handler.send_response(status)
                handler.send_header("content-length", str(len(data)))
                handler.end_headers()
                handler.wfile.write(data)

            do_GET = do_PUT = do_POST = do

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def credentials(keys, lifetime=3600):
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + lifetime))
    return json.dumps({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": keys[0], "SecretAccessKey": keys[1], "Token": "", "Expiration": expires})


def instance(keys, region, role="worker-role"):
    """IMDS that insists on version 2: without the token of a PUT it answers 401."""
    token = "stub-token-" + "x" * 40

    def answer(method, path, headers):
        if path == "/latest/api/token":
            return (200, token) if method == "PUT" and headers.get("x-aws-ec2-metadata-token-ttl-seconds") else (400, "")
        if headers.get("x-aws-ec2-metadata-token") != token:
            return 401, ""
        base = "/latest/meta-data/"
        return {
            base + "placement/region": (200, region), base + "iam/security-credentials/": (200, role),
            base + "iam/security-credentials/" + role: (200, credentials(keys)),
        }.get(path, (404, ""))

    return Stub(answer)


def pod_identity(keys, token):
    """The agent of EKS: `authorization` must be the token that Kubernetes keeps in a file."""
    def answer(method, path, headers):
        if path != "/v1/credentials":
            return 404, ""
        return (200, credentials(keys)) if headers.get("authorization") == token else (403, json.dumps({"message": "not your token"}))

    return Stub(answer)


class Unreliable:
    """In front of `url`: answers some requests with 503 SlowDown instead, and carries some out without answering. `slowed` and `unanswered` count them."""

    def __init__(self, url, slow=0.1, silent=0.05, seed=20261122, certificate=None):
        """`certificate`: a PEM file with its key, for TLS."""
        self.slowed, self.unanswered = 0, 0
        chance, lock = random.Random(seed), threading.Lock()
        target = urllib.parse.urlparse(url).netloc

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(handler):
                body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
                with lock:
                    draw = chance.random()
                    is_slow, is_silent = draw < slow, slow <= draw < slow + silent
                    self.slowed += is_slow
                    self.unanswered += is_silent
                if is_slow:
                    return handler.give(503, [("content-type", "application/xml")], b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
                connection = http.client.HTTPConnection(target, timeout=30)
                connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
                for name, value in handler.headers.items():  # The signature is over the host that the client named.
                    connection.putheader(name, value)
                connection.endheaders(body)
                answer = connection.getresponse()
                data = answer.read()
                connection.close()
                if is_silent:
                    handler.close_connection = True
                    return
                headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in ("content-length", "transfer-encoding", "connection")]
                size = answer.getheader("content-length") if handler.command == "HEAD" else None
                handler.give(answer.status, headers, data, size)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

            def give(handler, status, headers, data, size=None):
                handler.send_response_only(status)
                for name, value in [*headers, ("content-length", size or str(len(data)))]:
                    handler.send_header(name, value)
                handler.end_headers()
                if handler.command != "HEAD":
                    handler.wfile.write(data)

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
