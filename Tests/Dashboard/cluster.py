"""A pretended cluster: four jobs made here, three of a real Flink's recordings, and machines that come and go."""

import json
import math
import pathlib
import re
import secrets
import time
import urllib.parse

from jobs import Job, Vertex, hex_id, now_ms

RECORDINGS = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "flink-rest"
RECORDED = "410517cc87d05641539c5815805b5f85"
FINISHED, FAILED = "c2c595015f5a9b51c7f79853df65a566", "410f1360c6ea0955ab03fe3393ac6f25"
RECORDED_AT = 1795346660000
WORKERS = [f"taskmanager-{number}" for number in range(1, 5)]


class Answer(Exception):
    def __init__(self, status, body, kind="application/json; charset=UTF-8"):
        self.status, self.kind = status, kind
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()


def refuse(status, words, **more):
    raise Answer(status, {"errors": [words], **more})


class Cluster:
    """`bare`: only what is needed; every optional path answers 404. `read_only`: refuses changes. `token`: wanted of everyone."""

    def __init__(self, bare=False, read_only=False, token=None):
        self.bare, self.read_only, self.token = bare, read_only, token
        self.started = now_ms()
        self.asked, self.bounds, self.stored = {}, {}, self.recording("jars_after_upload")["files"]
        self.shift = now_ms() - RECORDED_AT
        self.jobs = [self.ticker(), self.enrichment(), self.broken(), self.recorded_job()]
        self.past = [self.recording(name) for name in ("job_finished", "job_failed")]
        self.leaving = WORKERS[2]

    # The jobs

    @staticmethod
    def ticker():
        source = Vertex("Source: ticks[1] -> Calc[2] -> WatermarkAssigner[3] -> LocalWindowAggregate[4]", 4, 48_000, 9_600, 0.34)
        windows = Vertex("GlobalWindowAggregate[6] -> Calc[7] -> Sink: highest_prices[8]", 4, 9_600, 1_200, 0.22, inputs=[(source.id, "HASH")], behind=4300)
        return Job("stock-ticker", [source, windows], WORKERS[:2], 2 * 3600)

    @staticmethod
    def enrichment():
        orders = Vertex("Source: orders[1] -> Calc[2] -> WatermarkAssigner[3]", 4, 21_000, 20_500, 0.12, 0.71)
        customers = Vertex("Source: customers[4] -> ChangelogNormalize[5]", 2, 300, 280, 0.05)
        rates = Vertex("Source: rates[6]", 1, 12, 12, 0.01)
        join = Vertex("Join(orders, customers)[7] -> Calc[8]", 8, 20_780, 20_500, 0.28, 0.62, [(orders.id, "HASH"), (customers.id, "HASH")], 61_000)
        lookup = Vertex("TemporalJoin(rates)[9]", 8, 20_512, 20_500, 0.97, 0.0, [(join.id, "HASH"), (rates.id, "BROADCAST")], 64_000)
        totals = Vertex("GroupAggregate(country)[10] -> Calc[11] -> Sink: totals[12]", 4, 20_500, 900, 0.31, 0.0, [(lookup.id, "HASH")], 66_000)
        audit = Vertex("Sink: audit_log[13]", 2, 20_500, 20_500, 0.18, 0.0, [(lookup.id, "REBALANCE")], 66_000)
        return Job("orders with customers, enriched by today's rates", [orders, customers, rates, join, lookup, totals, audit], WORKERS, 5 * 3600)

    @staticmethod
    def broken():
        source = Vertex("Source: clicks[1] -> Calc[2]", 2, 4_000, 4_000, 0.2)
        sink = Vertex("<img src=x onerror=alert(1)> Sessions[3] -> Sink: sessions[4]", 2, 4_000, 700, 0.3, inputs=[(source.id, "HASH")])
        return Job("clicks <script>alert('markup')</script> by session", [source, sink], WORKERS[:2], 900, "RESTARTING", 7)

    def recorded_job(self):
        answer = self.recording("job_running")
        vertices = [Vertex(each["name"], each["parallelism"], 2000 if number == 0 else 230, 230 if number == 0 else 0, 0.05, id=each["id"], description=next(node["description"] for node in answer["plan"]["nodes"] if node["id"] == each["id"]),
            inputs=[] if number == 0 else [(answer["vertices"][0]["id"], "HASH")]) for number, each in enumerate(answer["vertices"])]
        return Job(answer["name"], vertices, [each["id"] for each in self.recording("taskmanagers")["taskmanagers"]][:1], 300, id=RECORDED)

    def recording(self, name):
        text = (RECORDINGS / f"{name}.json").read_text()
        # All of that day's times are moved to now.
        moved = re.sub(r"\b1795(?:3[3-9])\d{7}\b", lambda match: str(int(match[0]) + getattr(self, "shift", now_ms() - RECORDED_AT)), text)
        return json.loads(moved)

    # Answering

    def answer(self, method, path, query, body, token=None):
        if self.token and token != self.token:
            refuse(401, "a bearer token is needed")
        if method != "GET" and self.read_only and not path.startswith("/sql/explain"):
            refuse(403, "REST is read-only on a public address: set rest.authentication.token")
        for wanted, pattern, act, is_optional in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and wanted == method and not (self.bare and is_optional):
                return act(self, query, body, *[urllib.parse.unquote(part) for part in match.groups()])
        refuse(404, f"Not found: {path}")

    def job(self, id):
        if not re.fullmatch("[0-9a-f]{32}", id):
            refuse(400, f"Cannot resolve path parameter (jobid) from value \"{id}\".")
        return next((job for job in self.jobs if job.id == id), None) or refuse(404, f"Job {id} not found")

    def vertex(self, job, id):
        job = self.job(job)
        return job, job.vertex(id) or refuse(404, f"Vertex {id} not found")

    def config(self, query, body):
        features = {"web-submit": not self.read_only, "web-cancel": not self.read_only, "web-rescale": not self.read_only, "web-history": False}
        return {**self.recording("config"), "refresh-interval": 1000, "flink-version": "0.1.0", "features": features}

    def overview(self, query, body):
        states = [job.state for job in self.jobs]
        return {"taskmanagers": len(WORKERS), "slots-total": 16, "slots-available": 3, "jobs-running": sum(state in ("RUNNING", "RESTARTING") for state in states), "jobs-finished": 1,
            "jobs-cancelled": states.count("CANCELED"), "jobs-failed": 1, "flink-version": "0.1.0", "flink-commit": "fixture"}

    def jobs_overview(self, query, body):
        past = [{**{key: job[key] for key in ("jid", "name", "start-time", "end-time", "duration", "state")}, "tasks": {"total": 4}} for job in self.past]
        return {"jobs": [job.overview() for job in self.jobs] + past}

    def details(self, query, body, id):
        return next((job for job in self.past if job["jid"] == id), None) or self.job(id).details()

    def exceptions(self, query, body, id):
        if id == FAILED:
            return self.recording("job_failed_exceptions")
        if id == FINISHED:
            return self.recording("job_finished_exceptions")
        job = self.job(id)
        if job.restarts == 0:
            return {"exceptionHistory": {"entries": [], "truncated": False}}
        recorded = self.recording("after_kill_exceptions")["exceptionHistory"]["entries"]
        own = [{"exceptionName": "external system", "stacktrace": "sink sessions › commit of checkpoint 41: <b>503 SlowDown</b>, please reduce your request rate\nretried 5 times over 12 s", "timestamp": now_ms() // 60_000 * 60_000 - 60_000 * number, "failureLabels": {"kind": "external"},
            "taskName": "Sessions -> Sink: sessions (2/2)", "endpoint": WORKERS[1], "taskManagerId": WORKERS[1], "concurrentExceptions": [{"exceptionName": "external system", "stacktrace": "the same, subtask 1", "timestamp": now_ms(), "taskName": "Sessions (1/2)"}] if number == 0 else []} for number in range(job.restarts)]
        return {"root-exception": own[0]["stacktrace"], "timestamp": own[0]["timestamp"], "exceptionHistory": {"entries": own + recorded, "truncated": True}}

    def rescales(self, name):
        def act(self, query, body, id, *rest):
            self.job(id)
            answer = self.recording(f"adaptive_rescale{name}_after_kill")
            if isinstance(answer, list):
                # Flink's lists do not say from how many to how many; ours do.
                answer = [{**each, "preRescaleParallelism": [2, 2], "postRescaleParallelism": [2, 4] if number == 0 else [2, 2]} for number, each in enumerate(answer)]
            return answer
        return act

    def flame(self, query, body, id, vertex):
        job, vertex = self.vertex(id, vertex)
        if now_ms() - self.started < 3000:
            return {"endTimestamp": 0}
        return job.flame(vertex)

    def subtask_metrics(self, query, body, id, vertex):
        job, vertex = self.vertex(id, vertex)
        names = [each["id"] for each in self.recording("vertex0_subtask_metrics")]
        chain = [re.sub("[ .:,]", "_", part) for part in vertex.name.split(" -> ")]
        names += [f"{part}.{figure}" for part in chain for figure in ("numRecordsIn", "numRecordsOut", "numRecordsInPerSecond", "numRecordsOutPerSecond")]
        if "get" not in query:
            return [{"id": name} for name in names]
        figures = vertex.metrics(job.seconds())
        values = {"numRecordsIn": figures["read-records"], "numRecordsOut": figures["write-records"]}
        # Each operator lets through less than the one before it.
        for number, part in enumerate(chain):
            for figure, rows in (("numRecordsIn", figures["read-records"] // (number + 1)), ("numRecordsOut", figures["read-records"] // (number + 2))):
                values |= {f"{part}.{figure}": rows, f"{part}.{figure}PerSecond": rows / max(1, job.seconds())}
        return [{"id": name, "min": 0.2 * values.get(name, 40), "max": 0.4 * values.get(name, 40), "avg": 0.25 * values.get(name, 40), "sum": values.get(name, 40 + now_ms() // 1000 % 20), "skew": 12.5} for name in query["get"].split(",") if name in names]

    def taskmanager(self, id):
        recorded = self.recording("taskmanager_detail")
        number = WORKERS.index(id) if id in WORKERS else refuse(404, f"TaskManager {id} not found")
        return {**recorded, "id": id, "path": f"10.0.{number}.17:41000", "slotsNumber": 4, "freeSlots": [0, 1, 0, 2][number], "timeSinceLastHeartbeat": now_ms() - 700, "leaving": id == self.leaving, "version": "0.1.0",
            "lifecycle": "on-demand" if number == 0 else "spot", "instance-type": "m7g.large", "zone": f"eu-central-1{'abc'[number % 3]}", "connected-since": self.started - 3_000_000 * (number + 1)}

    def taskmanagers(self, query, body):
        return {"taskmanagers": [{key: value for key, value in self.taskmanager(id).items() if key not in ("metrics", "allocatedSlots")} for id in WORKERS]}

    def process_metrics(self, name):
        def act(self, query, body, *rest):
            values = {each["id"]: each["value"] for each in self.recording(name)}
            values["Status.JVM.CPU.Load"] = str(0.3 + 0.2 * (time.time() % 60) / 60)
            if "get" not in query:
                return [{"id": key} for key in values]
            return [{"id": key, "value": values[key]} for key in query["get"].split(",") if key in values]
        return act

    def process_history(self, query, body, *rest):
        now = now_ms()
        times = [at for at in range(now - 3_600_000 - now % 10_000, now, 10_000) if at > int(query.get("since", 0))]
        wave = lambda least, most, period: [least + (most - least) * (0.5 + 0.5 * math.sin(at / 1000 / period)) for at in times]
        return {"now": now, "interval": 10_000, "timestamps": times, "processors": wave(0.2, 1.4, 300), "memory-used": wave(1.8e8, 2.4e8, 700), "memory-resident": wave(2.4e8, 3e8, 700), "threads": [24] * len(times),
            "open-files": [41] * len(times), "records-in-per-second": wave(9e3, 2.4e4, 300), "records-out-per-second": wave(2e3, 6e3, 300), "bytes-in-per-second": wave(4e5, 1e6, 300), "bytes-out-per-second": wave(1e5, 3e5, 300)}

    def log(self, name):
        def act(self, query, body, *rest):
            text = (RECORDINGS / name).read_text()
            day = time.strftime("%Y-%m-%d %H:%M:", time.gmtime())
            tail = "".join(f"{day}{second:02},{second * 7:03} {'WARN ' if second % 9 == 0 else 'INFO '} checkpoints                      [] - checkpoint {second + 40} complete in 241 ms\n" for second in range(int(time.time()) % 60))
            raise Answer(200, (text + tail).encode(), "text/plain; charset=UTF-8")
        return act

    def spot(self, query, body):
        now, ticker, enrichment = now_ms(), self.jobs[0], self.jobs[1]
        ago = lambda minutes: self.started - int(minutes * 60_000)

        def change(id, job, minutes, cause, took=1800, status="COMPLETED", **more):
            started = ago(minutes)
            names = ["planned", "subtasks deployed, state pre-copied", "barrier injected", "all aligned, changes sent", "new owners took over", "old slots released"]
            shares = [0, .45, .5, .82, .93, 1]
            return {"id": id, "jid": job.id, "job-name": job.name, "epoch": 4, "cause": cause, "taskmanager-ids": ["taskmanager-6"] if cause == "evacuation" else [], "started": started, "ended": started + took if status != "IN_PROGRESS" else -1, "status": status, "checkpoint": 311,
                "from": {"slots": 8, "taskmanagers": 3}, "to": {"slots": 8, "taskmanagers": 2}, "moved": {"subtasks": 4, "key-groups": 180, "key-groups-all": 720, "splits": 12, "bytes": 187_000_000, "precopied-bytes": 179_000_000, "parked-rows": 5400},
                "latency": {"pause-ms": 74, "p99-before-ms": 31, "p99-during-ms": 118}, "margin-ms": 117_000, "steps": [{"name": name, "at": started + int(took * share)} for name, share in zip(names, shares)], "reason": None, **more}
        return {
            "now": now, "workers": [{"id": id, "host": f"10.0.{number}.17", "instance-id": f"i-0{number}", "instance-type": "m7g.large", "zone": f"eu-central-1{'abc'[number % 3]}", "lifecycle": "on-demand" if number == 0 else "spot", "since": ago(90 - number * 17), "until": -1, "lost": False, "leaving": id == self.leaving} for number, id in enumerate(WORKERS)]
                + [{"id": "taskmanager-5", "host": "10.0.5.17", "instance-type": "m7g.large", "zone": "eu-central-1a", "lifecycle": "spot", "since": ago(120), "until": ago(24), "lost": True, "leaving": False},
                   {"id": "taskmanager-6", "host": "10.0.6.17", "instance-type": "c7g.large", "zone": "eu-central-1b", "lifecycle": "spot", "since": ago(70), "until": ago(9), "lost": False, "leaving": False}],
            "notices": [{"at": ago(11), "kind": "termination", "taskmanager-id": "taskmanager-6", "deadline": ago(9), "text": "EC2 reclaims the instance in 2 minutes"}, {"at": ago(0.3), "kind": "termination", "taskmanager-id": self.leaving, "deadline": self.started + 100_000, "text": "EC2 reclaims the instance in 2 minutes"}],
            "changes": [change("c5", enrichment, 0.25, "evacuation", status="IN_PROGRESS", **{"taskmanager-ids": [self.leaving], "margin-ms": None}), change("c4", enrichment, 10.9, "evacuation", 2600), change("c3", ticker, 10.8, "evacuation"), change("c2", ticker, 24, "recovery", 900, **{"margin-ms": None, "reason": "taskmanager-5 was lost without notice"}), change("c1", ticker, 40, "scale-out", 1500, **{"margin-ms": None})],
            "savings": {"since": ago(24 * 60), "spot-hours": 61.4, "on-demand-hours": 24.0, "spot-price-hour": 0.0326, "on-demand-price-hour": 0.0816, "saved": 3.01, "saved-share": 0.43, "currency": "USD", "price-source": "spot.price-per-hour in the configuration"},
        }

    # Changes

    def submit(self, query, body):
        self.check(json.loads(body)["sql"])
        job = self.ticker()
        job.id, job.name, job.started = secrets.token_hex(16), "submitted from the page", now_ms() - 2000
        self.jobs.append(job)
        return {"jobs": [{"jobid": job.id, "name": job.name}], "jobid": job.id, "texts": []}

    @staticmethod
    def check(sql):
        for number, line in enumerate(sql.split("\n")):
            at = line.find("pric ")
            if at >= 0:
                refuse(400, f"line {number + 1}, column {at + 1}: column 'pric' not found\n  {line}\n  {' ' * at}^^^^\ndid you mean 'price'?", line=number + 1, column=at + 1, length=4)

    def explain(self, query, body):
        sql = json.loads(body)["sql"]
        try:
            self.check(sql)
        except Answer as wrong:
            told = json.loads(wrong.body)
            return {"error": {"message": told["errors"][0], "line": told["line"], "column": told["column"], "length": told["length"]}}
        job = self.ticker()
        return {"jobs": [{"name": "insert-into_highest", "text": "\n".join(vertex.name for vertex in job.vertices), "plan": job.details()["plan"]}] if "INSERT INTO" in sql.upper() else [], "texts": []}

    def cancel(self, query, body, id):
        self.job(id).end("CANCELED")
        raise Answer(202, {})

    def operate(self, query, body, id):
        request = secrets.token_hex(16)
        self.asked[request] = now_ms()
        raise Answer(202, {"request-id": request})

    def stop(self, query, body, id):
        self.job(id).end("FINISHED")
        return self.operate(query, body, id)

    def operation(self, query, body, id, request):
        if request not in self.asked:
            refuse(404, "no such operation")
        if now_ms() - self.asked[request] < 600:
            return {"status": {"id": "IN_PROGRESS"}, "operation": None}
        return {"status": {"id": "COMPLETED"}, "operation": {"location": f"s3://savepoints/savepoint-{id[:6]}-4f1c"}}

    def requirements(self, query, body, id):
        return {vertex.id: {"parallelism": {"lowerBound": 1, "upperBound": vertex.parallelism}} for vertex in self.job(id).vertices}

    def rescale(self, query, body, id):
        for vertex, wanted in json.loads(body).items():
            self.job(id).vertex(vertex).parallelism = wanted["parallelism"]["upperBound"]
        return {}

    def drop(self, query, body, id):
        self.stored = [file for file in self.stored if file["id"] != id]
        return {}


def of_job(act):
    return lambda cluster, query, body, id, *rest: act(cluster.job(id), *rest)


def of_vertex(act):
    return lambda cluster, query, body, id, vertex: act(*cluster.vertex(id, vertex))


def recorded(name):
    return lambda cluster, *_: cluster.recording(name)


def one_checkpoint(cluster, query, body, id, number):
    job = cluster.job(id)
    if not number.isdigit() or int(number) >= job.checkpoints_so_far():
        refuse(404, f"Could not find checkpointing statistics for checkpoint {number}.")
    return job.checkpoint(int(number))


def checkpoint_subtasks(cluster, query, body, id, number, vertex):
    job, vertex = cluster.vertex(id, vertex)
    answer = cluster.recording("vertex1_checkpoint_subtasks")
    subtasks = [{**answer["subtasks"][0], "index": index, "start_delay": 19 + 3 * index, "end_to_end_duration": 70 + 20 * index} for index in range(vertex.parallelism)]
    return {**answer, "id": int(number), "subtasks": subtasks}


J, V, T = r"/jobs/([^/]+)", r"/jobs/([^/]+)/vertices/([^/]+)", r"/taskmanagers/([^/]+)"
# (method, path, what answers, whether a server may lack it)
ROUTES = [
    ("GET", "/config", Cluster.config, False), ("GET", "/overview", Cluster.overview, False), ("GET", "/jobs/overview", Cluster.jobs_overview, False), ("GET", "/taskmanagers", Cluster.taskmanagers, False),
    ("GET", J, Cluster.details, False), ("PATCH", J, Cluster.cancel, False), ("POST", "/jobs", Cluster.submit, False), ("GET", f"{J}/exceptions", Cluster.exceptions, False),
    ("GET", f"{J}/checkpoints", of_job(Job.checkpoints), False), ("GET", f"{J}/checkpoints/config", recorded("job_checkpoints_config"), False), ("GET", f"{J}/checkpoints/details/([^/]+)", one_checkpoint, False),
    ("POST", f"{J}/savepoints", Cluster.operate, False), ("POST", f"{J}/stop", Cluster.stop, False), ("GET", f"{J}/savepoints/([^/]+)", Cluster.operation, False), ("GET", V, of_vertex(Job.vertex_details), False),
    ("GET", "/jobmanager/config", recorded("jobmanager_config"), False), ("GET", T, lambda cluster, query, body, id: cluster.taskmanager(id), False),
    ("GET", f"{J}/history", lambda cluster, query, body, id: cluster.job(id).history(int(query.get("since", 0))), True), ("GET", "/spot", Cluster.spot, True), ("POST", "/sql/explain", Cluster.explain, True),
    ("GET", f"{J}/checkpoints/details/([^/]+)/subtasks/([^/]+)", checkpoint_subtasks, True), ("GET", f"{J}/config", recorded("job_config"), True), ("GET", f"{J}/jobmanager/config", recorded("job_jobmanager_config"), True),
    ("GET", f"{J}/resource-requirements", Cluster.requirements, True), ("PUT", f"{J}/resource-requirements", Cluster.rescale, True), ("GET", f"{J}/rescales/history", Cluster.rescales(None, "s_history"), True),
    ("GET", f"{J}/rescales/summary", Cluster.rescales(None, "s_summary"), True), ("GET", f"{J}/rescales/details/([^/]+)", Cluster.rescales(None, "_details"), True), ("GET", f"{V}/watermarks", of_vertex(Job.watermarks), True), ("GET", f"{V}/taskmanagers", of_vertex(Job.task_managers), True), ("GET", f"{V}/backpressure", of_vertex(Job.backpressure), True),
    ("GET", f"{V}/key-groups", of_vertex(Job.key_groups), True), ("GET", f"{V}/subtasks/metrics", Cluster.subtask_metrics, True), ("GET", f"{V}/flamegraph", Cluster.flame, True), ("GET", f"{V}/subtasktimes", of_vertex(Job.subtask_times), True),
    ("GET", f"{T}/history", Cluster.process_history, True), ("GET", "/jobmanager/history", Cluster.process_history, True),
    ("GET", f"{T}/metrics", Cluster.process_metrics(None, "taskmanager_metrics_values"), True), ("GET", f"{T}/thread-dump", recorded("taskmanager_thread_dump"), True), ("GET", f"{T}/logs", recorded("taskmanager_logs"), True),
    ("GET", f"{T}/log(?:s/[^/]+)?", Cluster.log(None, "taskmanager_log.txt"), True), ("GET", "/jobmanager/metrics", Cluster.process_metrics(None, "jobmanager_metrics_values"), True), ("GET", "/jobmanager/environment", recorded("jobmanager_environment"), True),
    ("GET", "/jobmanager/thread-dump", recorded("jobmanager_thread_dump"), True), ("GET", "/jobmanager/logs", recorded("jobmanager_logs"), True), ("GET", "/jobmanager/log(?:s/[^/]+)?", Cluster.log(None, "jobmanager_log.txt"), True),
    ("GET", "/jobmanager/stdout", lambda *_: (_ for _ in ()).throw(Answer(200, b"", "text/plain")), True), ("GET", f"{T}/stdout", lambda *_: (_ for _ in ()).throw(Answer(200, b"", "text/plain")), True),
    ("GET", "/jars", lambda cluster, *_: {"address": "", "files": cluster.stored}, True), ("POST", "/jars/([^/]+)/run", lambda cluster, query, body, id: cluster.submit(query, b'{"sql": ""}'), True), ("DELETE", "/jars/([^/]+)", Cluster.drop, True),
]
