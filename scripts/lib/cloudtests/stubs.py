"""IMDSv2 and the EKS Pod Identity agent, as far as SDKs ask them; both give credentials that live for an hour."""
import http.server
import json
import threading
import time


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
