"""What operators look into: logs, threads, flame graphs, stored scripts, the API's own description, TLS."""
import http.server
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

from cluster import binaries, freeze, swiftwater, wait

from . import ticks
from .harness import RunningCluster, check, client, say, story
from .rest import scrape


def send(url, path, method="GET", body=None, headers=None, context=None):
    """(status, headers, bytes), whatever the status."""
    request = urllib.request.Request(url + path, method=method, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def busy_job(place, cluster):
    """A job that computes for as long as the story lasts."""
    path = place.path("busy.sql")
    with open(path, "w") as file:
        file.write("CREATE TABLE numbers (k BIGINT, v BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '3000000', 'fields.k.min' = '0', 'fields.k.max' = '1000');\n"
                   "CREATE TABLE gone (k BIGINT, n BIGINT) WITH ('connector' = 'blackhole');\n"
                   "INSERT INTO gone SELECT k, COUNT(*) FROM numbers WHERE MOD(v * v + k, 7) <> 3 GROUP BY k;\n")
    return cluster.submit(path)


@story
def logs_threads_and_memory_of_each_process_are_shown(place):
    cluster = place.cluster(taskmanagers=2, slots=1, settings=(f"env.log.dir={place.path('logs')}", "log.file.max-size=64kb", "log.level.Task=DEBUG"))
    data, output = ticks.Ticks(place.path("ticks"), rows=20_000, tickers=10, rows_a_file=5_000), place.path("out")
    job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=4_000, settings=[("execution.checkpointing.interval", "200 ms")]))
    wait(lambda: cluster.completed(job) > 1, 30, "checkpoints")
    for base in ("/jobmanager", "/taskmanagers/taskmanager-1"):
        names = {entry["name"]: entry for entry in cluster.get(base + "/logs")["logs"]}
        # The folder is everybody's, a process shows its own.
        check(len(os.listdir(place.path("logs"))) >= 3 and names and len({name.split(".log")[0] for name in names}) == 1, f"{base}/logs has {sorted(names)}")
        code, headers, whole = send(cluster.url, base + "/log")
        check(code == 200 and whole.count(b"\n") > 2, f"{base}/log answered {code}, {len(whole)} bytes")
        check(headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Type"].startswith("text/plain"), "a log could be run by a browser")
        code, headers, tail = send(cluster.url, base + "/log", headers={"Range": "bytes=-100"})
        check(code == 206 and len(tail) == 100 and headers["Content-Range"].startswith("bytes "), f"the last 100 bytes: {code}, {len(tail)}")
        for name in ("../ports", "..%2fports", "%2e%2e%2fports", "/etc/passwd", "%2fetc%2fpasswd", "..", "x" * 4000, "%00"):
            code, _, body = send(cluster.url, f"{base}/logs/{name}")
            check(code in (400, 404) and b"errors" in body, f"{base}/logs/{name} answered {code}: {body[:200]}")
        threads = {entry["threadName"]: entry["stringifiedThreadInfo"] for entry in cluster.get(base + "/thread-dump")["threadInfos"]}
        check("slot-0" in threads if "task" in base else "jobmanager" in threads, f"{base} has threads {sorted(threads)}")
        check(any("\tat " in text and "swift" in text.lower() or "Hosts." in text for text in threads.values()), "threads have no stacks")
        figures = {entry["id"]: float(entry["value"]) for entry in cluster.get(base + "/metrics?get=Status.JVM.Memory.Heap.Used,Status.JVM.Threads.Count")}
        check(figures["Status.JVM.Memory.Heap.Used"] > 1 << 20 and figures["Status.JVM.Threads.Count"] > 2, f"{base} has figures {figures}")
        check(send(cluster.url, base + "/stdout")[0] == 200, "no stdout")
    text = send(cluster.url, "/jobmanager/log")[2].decode()
    check(f" [{job}] - " in text, "no line of the JobManager says which job it is about")
    text = send(cluster.url, "/taskmanagers/taskmanager-1/log")[2].decode() + send(cluster.url, "/taskmanagers/taskmanager-2/log")[2].decode()
    check(f"[{job}" in text, "no line of a TaskManager says which job it is about")
    over = {entry["id"]: entry for entry in cluster.get("/taskmanagers/metrics?get=Status.JVM.Memory.Heap.Used")}["Status.JVM.Memory.Heap.Used"]
    check(0 < over["min"] <= over["avg"] <= over["max"] and over["sum"] > over["max"], f"over all TaskManagers: {over}")
    details = cluster.get("/taskmanagers/taskmanager-1")
    check(details["metrics"]["heapUsed"] > 0 and any(slot["jobId"] == job for slot in details["allocatedSlots"]), f"TaskManager: {details}")
    code, _, body = send(cluster.url, "/taskmanagers/nobody/log")
    check(code == 404 and "nobody" in json.loads(body)["errors"][0], f"an unknown TaskManager: {code} {body}")
    frozen = cluster.processes()["taskmanager-2"]
    freeze(frozen)
    try:
        code, _, body = send(cluster.url, "/taskmanagers/taskmanager-2/log")
        check(code in (404, 503) and b"errors" in body, f"a TaskManager that is frozen: {code} {body[:200]}")
        check(cluster.get("/overview"), "the others cannot be asked meanwhile")
    finally:
        os.kill(frozen, signal.SIGCONT)


def hottest(cluster, job, vertex):
    """(name of the task's step, its samples, all samples) of what a vertex computes."""
    path = f"/jobs/{job}/vertices/{vertex}/flamegraph?type=on_cpu"
    graph = wait(lambda: (answer := cluster.get(path)).get("data") and answer, 20, "the samples")["data"]
    names = {}

    def walk(node, above):
        for child in node["children"]:
            if child["name"] not in above:
                names[child["name"]] = names.get(child["name"], 0) + child["value"]
            walk(child, above | {child["name"]})

    walk(graph, frozenset())
    check(graph["name"] == "root" and graph["value"] > 5, f"the root is {graph['name']} with {graph['value']} samples")
    steps = {name: value for name, value in names.items() if "Task.step" in name}
    check(steps, f"no step of a task among {sorted(names.items(), key=lambda item: -item[1])[:8]}")
    name = max(steps, key=steps.get)
    return name, steps[name], graph["value"]


@story
def a_flame_graph_shows_where_a_job_computes(place):
    settings = ("rest.flamegraph.enabled=true", "rest.flamegraph.num-samples=60", "rest.flamegraph.delay-between-samples=10 ms")
    cluster = place.cluster(taskmanagers=1, slots=2, settings=settings)
    job = busy_job(place, cluster)
    wait(lambda: cluster.state(job)["state"] == "RUNNING", 20, "the job")
    vertex = cluster.state(job)["vertices"][0]["id"]
    path = f"/jobs/{job}/vertices/{vertex}/flamegraph"
    check(cluster.get(path) == {"endTimestamp": -3}, "the first question has no answer yet")
    name, held, samples = hottest(cluster, job, vertex)
    check(held * 2 >= samples, f"{name} holds {held} of {samples} samples only")
    say(f"{name[:60]} holds {held} of {samples} samples")
    for query, code in (("?type=upside_down", 400), ("?subtaskindex=99", 404), ("?subtaskindex=0", 200)):
        check(send(cluster.url, path + query)[0] == code, f"{query} is not {code}")
    cluster.stop()

    plain = place.cluster(taskmanagers=1, slots=2, settings=())
    job = busy_job(place, plain)
    vertex = plain.state(job)["vertices"][0]["id"]
    check(plain.get(f"/jobs/{job}/vertices/{vertex}/flamegraph") == {"endTimestamp": -2}, "without the key nothing is sampled")
    plain.stop()

    # A stripped program with its symbols in a file beside it.
    bare = place.path("bin")
    os.makedirs(bare)
    for program in ("jobmanager", "taskmanager"):
        subprocess.run(["strip", "--strip-all", "-o", os.path.join(bare, program), os.path.join(binaries, program)], check=True)
    subprocess.run(["objcopy", "--strip-debug", os.path.join(binaries, "taskmanager"), os.path.join(bare, "symbols")], check=True)
    subprocess.run(["objcopy", "--only-keep-debug", os.path.join(bare, "symbols"), os.path.join(bare, "taskmanager.debug")], check=True)
    before = os.environ.get("SWIFTWATER_BIN")
    os.environ["SWIFTWATER_BIN"] = bare
    try:
        stripped = place.cluster(taskmanagers=1, slots=2, settings=settings)
    finally:
        os.environ.pop("SWIFTWATER_BIN") if before is None else os.environ.update(SWIFTWATER_BIN=before)
    job = busy_job(place, stripped)
    wait(lambda: stripped.state(job)["state"] == "RUNNING", 20, "the job")
    name, held, samples = hottest(stripped, job, stripped.state(job)["vertices"][0]["id"])
    check(held * 2 >= samples, f"stripped: {name} holds {held} of {samples} samples only")
    say(f"stripped: {held} of {samples} samples, {os.path.getsize(os.path.join(bare, 'taskmanager')) >> 20} MiB and {os.path.getsize(os.path.join(bare, 'taskmanager.debug')) >> 20} MiB of symbols")


@story
def scripts_are_stored_and_run_where_flink_has_jars(place):
    cluster = place.cluster(taskmanagers=1, slots=2, settings=(f"web.upload.dir={place.path('scripts')}",))

    def upload(name, bytes):
        form = b'--xyz\r\nContent-Disposition: form-data; name="jarfile"; filename="' + name.encode() + b'"\r\nContent-Type: text/plain\r\n\r\n' + bytes + b"\r\n--xyz--\r\n"
        code, _, body = send(cluster.url, "/jars/upload", "POST", form, {"Content-Type": "multipart/form-data; boundary=xyz"})
        return code, json.loads(body)

    sql = b"CREATE TABLE n (k BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '1000');\nCREATE TABLE g (k BIGINT) WITH ('connector' = 'blackhole');\nINSERT INTO g SELECT k FROM n;\n"
    code, stored = upload("../../numbers.sql", sql)
    check(code == 200 and stored["status"] == "success", f"upload answered {code} {stored}")
    files = cluster.get("/jars")["files"]
    check(len(files) == 1 and files[0]["name"] == "numbers.sql", f"stored: {files}")
    id = files[0]["id"]
    check(os.listdir(place.path("scripts")) == [id], "the script lies somewhere else")
    check(len(cluster.get(f"/jars/{id}/plan")["plan"]["nodes"]) > 0, "no plan")
    code, _, body = send(cluster.url, f"/jars/{id}/plan", "POST", b'{"parallelism": 3}')
    check(code == 200 and {node["parallelism"] for node in json.loads(body)["plan"]["nodes"]} == {3}, f"a plan with parallelism 3: {code} {body}")
    check(send(cluster.url, f"/jars/{id}/run?program-args=x", "POST", b"{}")[0] == 400, "arguments that no script can have are ignored")
    code, _, body = send(cluster.url, f"/jars/{id}/run", "POST", b'{"parallelism": 1}')
    check(code == 200, f"run answered {code} {body}")
    check(cluster.ended(json.loads(body)["jobid"], 30)["state"] == "FINISHED", "the script's job has not finished")
    for path, method, wanted in (("/jars/..%2f..%2fports/run", "POST", 404), ("/jars/nosuch.sql/run", "POST", 404), ("/jars/nosuch.sql", "DELETE", 404), ("/jars/upload", "POST", 400)):
        code, _, body = send(cluster.url, path, method, b"{}")
        check(code == wanted and json.loads(body)["errors"], f"{method} {path} answered {code}: {body[:200]}")
    check(upload("job.jar", b"PK")[0] == 400 and upload("a.sql", b"\xff\xfe")[0] == 400, "what is no script is stored")
    check(upload("large.sql", b" " * (2 << 20))[0] == 413, "a script of any size is stored")
    check(send(cluster.url, f"/jars/{id}", "DELETE")[0] == 200 and cluster.get("/jars")["files"] == [], "a deleted script stays")


@story
def the_description_names_every_path(place):
    cluster = place.cluster(taskmanagers=1, slots=1, settings=())
    description = cluster.get("/openapi.json")
    check(description["openapi"].startswith("3.0"), "no OpenAPI 3")
    ids = set()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            check(operation["summary"] != path, f"{method} {path} is not described")
            check(operation["operationId"] not in ids, f"{operation['operationId']} stands for two")
            ids.add(operation["operationId"])
            wanted = {part[1:-1] for part in path.split("/") if part.startswith("{")}
            check({each["name"] for each in operation["parameters"] if each["in"] == "path"} == wanted, f"{path}: parameters")
            if "{" not in path and method == "get":
                code, headers, _ = send(cluster.url, path)
                kind = next(iter(operation["responses"]["200"]["content"]))
                check(code == 200 and headers["Content-Type"].startswith(kind), f"GET {path} answered {code}, {headers['Content-Type']} instead of {kind}")
                check(send(cluster.url, "/v1" + path)[0] == 200, f"/v1{path} is not there")
    say(f"{len(ids)} operations are described")


class Certificates:
    """An authority, certificates of it for a server and a client, and a stranger that signed itself; made with openssl below `folder`."""

    password = "changeit"

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        key = "-newkey rsa:2048 -nodes -days 2"
        with open(self.path("names"), "w") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.openssl(f"req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority")
        self.openssl(f"req -x509 {key} -keyout stranger.key -out stranger.pem -subj /CN=stranger")
        for name in ("server", "client"):
            self.openssl(f"req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}")
            self.openssl(f"x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out {name}.pem")
        self.openssl(f"pkcs8 -topk8 -in client.key -passout pass:{self.password} -out sealed.key")
        self.openssl(f"pkcs12 -export -in client.pem -inkey client.key -passout pass:{self.password} -out client.p12")
        self.openssl(f"pkcs12 -export -nokeys -in ca.pem -passout pass:{self.password} -out trust.p12")

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, words):
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)

    def settings(self, *settings):
        """`key=value` below security.ssl.rest; a value with a dot is a file of ours."""
        pairs = (each.split("=", 1) for each in settings)
        return [f"security.ssl.rest.{key}={self.path(value) if '.' in value else value}" for key, value in pairs]

    def shown(self, name=None):
        """A context that trusts the authority and shows the certificate of `name`."""
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if name:
            context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        return context


def tls_cluster(place, settings):
    cluster = RunningCluster(place.path("cluster-1"))
    place.clusters.append(cluster)
    result = cluster.script("start", "--taskmanagers", "0", "--slots", "1", "--rest-port", "0", "--rpc-port", "0", *[word for each in settings for word in ("-D", each)])
    check(result.returncode == 0, f"a cluster with TLS does not start: {result.stderr}")
    with open(os.path.join(cluster.folder, "ports")) as file:
        ports = dict(line.strip().split("=", 1) for line in file)
    cluster.url = f"https://localhost:{ports['rest']}"
    return cluster


@story
def rest_speaks_tls(place):
    files = Certificates(place.path("tls"))
    cluster = tls_cluster(place, files.settings("enabled=true", "cert=server.pem", "key=server.key"))
    check(send(cluster.url, "/overview", context=files.shown())[0] == 200, "no answer over TLS")
    for url, context, words in [
        (cluster.url, ssl.create_default_context(), "a certificate that nobody vouches for is taken"),
        (cluster.url.replace("https", "http"), None, "plain HTTP is answered on the port of TLS"),
    ]:
        try:
            send(url, "/overview", context=context)
        except OSError:
            continue
        check(False, words)
    code, _, error = client("list", "--jobmanager", cluster.url)
    check(code == 1 and "its certificate is not trusted by this system's authorities" in error, f"the client without an authority: {code}, {error}")
    check(client("list", "--jobmanager", cluster.url, "-D", files.settings("ca=ca.pem")[0])[0] == 0, "the client finds no trust in the authority")


@story
def rest_asks_for_certificates_and_the_client_shows_its_own(place):
    files = Certificates(place.path("tls"))
    cluster = tls_cluster(place, files.settings("enabled=true", "cert=server.pem", "key=server.key", "ca=ca.pem", "authentication-enabled=true"))
    check(send(cluster.url, "/overview", context=files.shown("client"))[0] == 200, "no answer to whom the authority vouches for")
    for name in (None, "stranger"):
        try:
            send(cluster.url, "/overview", context=files.shown(name))
        except OSError:
            continue
        check(False, f"an answer to {name or 'nobody'}")

    def said(*settings):
        code, _, error = client("list", "--jobmanager", cluster.url, *[word for each in files.settings(*settings) for word in ("-D", each)])
        check((code == 0) == (error == ""), f"{settings}: {code}, {error}")
        return error.strip() or "nothing"

    shown, trusted, word = ("cert=client.pem", "key=client.key"), "ca=ca.pem", f"password={files.password}"
    for settings, words in [
        ((trusted, *shown), "nothing"),
        ((trusted, "cert=client.pem", "key=sealed.key", f"key-{word}"), "nothing"),
        ((trusted, "keystore=client.p12", f"keystore-{word}"), "nothing"),
        (("truststore=trust.p12", f"truststore-{word}", *shown), "nothing"),
        ((trusted,), "it asks for a certificate of the client"),
        (("truststore=trust.p12", f"truststore-{word}"), "it asks for a certificate of the client"),
        ((trusted, "cert=stranger.pem", "key=stranger.key"), "it refuses our certificate"),
        (("ca=stranger.pem", *shown), "its certificate is not trusted"),
        (("ca=absent.pem", *shown), f"security.ssl.rest.ca: {files.path('absent.pem')}: No such file"),
        ((trusted, "cert=client.pem", "key=absent.key"), f"security.ssl.rest.key: {files.path('absent.key')}: No such file"),
        ((trusted, "cert=client.pem", "key=sealed.key", "key-password=wrong"), "the password does not open the private key"),
        ((trusted, "keystore=client.p12", "keystore-password=wrong"), "security.ssl.rest.keystore"),
    ]:
        heard = said(*settings)
        check(words in heard, f"{settings}: {heard}")
    folder = place.path("conf")
    os.makedirs(folder)
    with open(os.path.join(folder, "config.yaml"), "w") as file:
        file.write("".join(f"{each.replace('=', ': ', 1)}\n" for each in files.settings(trusted, *shown)))
    result = subprocess.run([swiftwater, "list", "--jobmanager", cluster.url], env={**os.environ, "SWIFTWATER_CONF_DIR": folder}, capture_output=True, text=True, timeout=60)
    check(result.returncode == 0, f"the configuration's certificate is not shown: {result.stderr}")


@story
def checkpoints_recoveries_and_layouts_become_traces(place):
    received = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        cluster = place.cluster(taskmanagers=2, slots=1, settings=("traces.reporters=otel", f"traces.reporter.otel.exporter.endpoint=http://127.0.0.1:{server.server_port}"))
        data, output = ticks.Ticks(place.path("ticks"), rows=40_000, tickers=10, rows_a_file=5_000), place.path("out")
        job = cluster.submit(ticks.script(place.path("job.sql"), data.folder, output, rate=4_000, settings=[("execution.checkpointing.interval", "300 ms")]))
        wait(lambda: cluster.completed(job) > 2, 30, "checkpoints")
        worker = next(each["taskmanager-id"] for each in cluster.get(f"/jobs/{job}/vertices/{cluster.state(job)['vertices'][0]['id']}")["subtasks"])
        os.kill(cluster.processes()[worker], signal.SIGKILL)

        def spans():
            return [span for _, body in received for resource in body["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]

        wait(lambda: any(span["name"] == "JobInitialization" for span in spans()), 40, "a recovery's span")
        check({path for path, _ in received} == {"/v1/traces"}, "spans go somewhere else")
        for span in spans():
            check(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 and int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), f"span: {span}")
            check({"key": "jobId", "value": {"stringValue": job}} in span["attributes"], f"span without its job: {span}")
        done = [next(each["value"]["stringValue"] for each in span["attributes"] if each["key"] == "checkpointId") for span in spans() if span["name"] == "Checkpoint"]
        check(len(done) == len(set(done)) > 2, f"checkpoints twice, or too few: {done}")
    finally:
        server.shutdown()


@story
def silent_slow_and_malformed_connections_keep_nobody_out(place):
    """A thousand and more connections that never ask anything, or never end, beside one that does; what is no HTTP is answered in words."""
    cluster = place.cluster(taskmanagers=0, slots=1)
    host, port = cluster.url.removeprefix("http://").split(":")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))

    def raw(data):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(data)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer

    for status, data in [
        (b"400", b"nonsense\r\n\r\n"), (b"400", b"GET / HTTP/9.9\r\n\r\n"), (b"400", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: zz\r\n\r\n"),
        (b"431", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 400_000 + b"\r\n\r\n"),
    ]:
        answer = raw(data)
        check(answer.startswith(b"HTTP/1.1 " + status) and b'{"errors":["' in answer, f"{data[:40]} was answered with {answer[:200]}")
    held = []
    try:
        for beginning in (b"", b"GET /overview HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"):
            for _ in range(1200):
                held.append(socket.create_connection((host, int(port)), timeout=20))
                if beginning:
                    held[-1].sendall(beginning)
            began = time.monotonic()
            check(b"200 OK" in raw(b"GET /overview HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), f"no answer beside {len(held)} connections that began with {beginning}")
            say(f"{time.monotonic() - began:.2f} s for an answer beside {len(held)} connections")
        descriptors = len(os.listdir(f"/proc/{cluster.processes()['jobmanager']}/fd"))
        check(descriptors < 1200, f"the JobManager has {descriptors} open files")
    finally:
        for connection in held:
            connection.close()


SKEWED = """SET 'pipeline.name' = 'skewed';
SET 'parallelism.default' = '2';
SET 'execution.checkpointing.interval' = '500 ms';
CREATE TABLE numbers (k INT, v INT) WITH ('connector' = 'datagen', 'rows-per-second' = '4000', 'fields.k.min' = '0', 'fields.k.max' = '99', 'fields.v.min' = '0', 'fields.v.max' = '9');
CREATE TABLE sums (k INT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO sums SELECT hot, COUNT(*) FROM (SELECT CASE WHEN k < 60 THEN 7 ELSE k END AS hot FROM numbers WHERE v < 5) GROUP BY hot;
"""


@story
def skew_is_shown_by_key_group_and_rows_by_operator(place):
    cluster = place.cluster(taskmanagers=2, slots=1, settings=("metrics.reporters=prom", "metrics.reporter.prom.port=0"))
    job = cluster.submit(place.write("skewed.sql", SKEWED))
    wait(lambda: cluster.completed(job) > 1, 30, "checkpoints")
    source, keyed = [vertex["id"] for vertex in cluster.state(job)["vertices"]]
    path = f"/jobs/{job}/vertices/{keyed}/key-groups"
    table = wait(lambda: (answer := cluster.get(path)) and sum(n or 0 for n in answer["records"]) > 5000 and any(answer["state-bytes"]) and answer, 40, "rows and state by key group")
    columns = [table[name] for name in ("owners", "records", "records-per-second", "state-bytes")]
    check(all(len(column) == table["max-parallelism"] for column in columns), f"columns are of {[len(column) for column in columns]} key groups")
    told, hottest = sum(n or 0 for n in table["records"]), max(range(len(table["records"])), key=lambda group: table["records"][group] or 0)
    check(0.55 < table["records"][hottest] / told < 0.7, f"six of ten rows have one key, the hottest key group has {table['records'][hottest]} of {told}")
    owner = next(subtask for subtask in table["subtasks"] if subtask["subtask"] == table["owners"][hottest])
    check(owner["hottest-key-group"] == hottest and owner["hottest-share"] > 0.6, f"its subtask says {owner}")
    check(told <= sum(subtask["records"] for subtask in table["subtasks"]) < 3 * told + 40_000, "key groups have other rows than their subtasks")
    say(f"key group {hottest} has {table['records'][hottest] / told:.0%} of {told} rows, {sum(1 for n in table['state-bytes'] if n)} key groups have state")
    names = [entry["id"] for entry in cluster.get(f"/jobs/{job}/vertices/{source}/metrics")]
    calc = next(name for name in names if name.startswith("0.Calc[") and name.endswith(".numRecordsOut"))
    check(any(name.startswith("0.Source__numbers[") and name.endswith(".numRecordsOut") for name in names), f"the source is not among {names}")
    rows = {entry["id"].rsplit(".", 1)[1]: float(entry["value"]) for entry in cluster.get(f"/jobs/{job}/vertices/{source}/metrics?get={calc},{calc[:-3]}In")}
    check(0.4 < rows["numRecordsOut"] / rows["numRecordsIn"] < 0.6, f"half of the rows pass the filter, {calc} says {rows}")
    over = cluster.get(f"/jobs/{job}/vertices/{source}/subtasks/metrics?get={calc[2:]}")[0]
    check(over["sum"] >= over["max"] >= over["min"] > 0, f"over subtasks: {over}")
    text = scrape(cluster, "taskmanager-1")
    found = {re.search(r'operator_name="([^"]*)"', line)[1] for line in text.splitlines() if line.startswith("flink_taskmanager_job_task_operator_numRecordsOut{")}
    check(len(found) >= 4, f"scrapes have the operators {sorted(found)}")
    check(f'operator_id="{source}"' in text and "flink_taskmanager_job_task_keyGroupSkew{" in text, "no first operator under its vertex' id, or no skew, in a scrape")
    skews = [float(entry["value"]) for index in (0, 1) for entry in cluster.get(f"/jobs/{job}/vertices/{keyed}/subtasks/{index}/metrics?get=keyGroupSkew")]
    check(max(skews) > 0.6 * 300, f"six of ten rows have one key of about 360 key groups, and keyGroupSkew is {skews}")


@story
def charts_of_processes_need_no_other_server(place):
    cluster = place.cluster(taskmanagers=2, slots=1, settings=())
    cluster.submit(place.write("skewed.sql", SKEWED))
    tell = lambda base: cluster.get(f"{base}/history")
    table = wait(lambda: len((answer := tell("/taskmanagers/taskmanager-1"))["timestamps"]) > 2 and answer, 60, "points of a TaskManager")
    check(all(len(table[name]) == len(table["timestamps"]) for name in table if name not in ("now", "interval")), f"columns differ in length: {table}")
    check(table["timestamps"] == sorted(table["timestamps"]) and table["memory-used"][-1] > 1 << 20 and table["threads"][-1] > 2, f"figures are {table}")
    check(table["processors"][-1] > 0 and sum(n or 0 for n in table["records-in-per-second"]) > 0, f"it works, say its tasks, and its history does not: {table}")
    since = table["timestamps"][-1]
    check(all(at > since for at in cluster.get(f"/taskmanagers/taskmanager-1/history?since={since}")["timestamps"]), "what was told is told again")
    check(tell("/jobmanager")["memory-resident"][-1] > 1 << 20, "the JobManager has no figures")
    os.kill(cluster.processes()["taskmanager-2"], signal.SIGKILL)
    wait(lambda: len(cluster.get("/taskmanagers")["taskmanagers"]) == 1, 30, "the loss to be noticed")
    check(tell("/taskmanagers/taskmanager-2")["timestamps"], "one that is lost is forgotten")
    check(send(cluster.url, "/taskmanagers/nobody/history")[0] == 404, "somebody unknown has a history")
