"""Jobs whose numbers move gently: every figure is a function of the time, so that any two answers agree with each other."""

import hashlib
import math
import time

STATES = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING", "FINISHED", "CANCELING", "CANCELED", "FAILED", "RECONCILING"]
JOB_STATES = ["INITIALIZING", "CREATED", "RUNNING", "FAILING", "FAILED", "CANCELLING", "CANCELED", "FINISHED", "RESTARTING", "SUSPENDED", "RECONCILING"]
WAVES = [(0.14, 170.0), (0.05, 23.0)]  # (share, seconds)


def now_ms():
    return int(time.time() * 1000)


def hex_id(text):
    return hashlib.md5(text.encode()).hexdigest()


def wave(seconds):
    return 1 + sum(share * math.sin(2 * math.pi * seconds / period) for share, period in WAVES)


def waved(seconds):
    """The integral of `wave` from 0."""
    return seconds + sum(share * period / (2 * math.pi) * (1 - math.cos(2 * math.pi * seconds / period)) for share, period in WAVES)


class Vertex:
    """`rows_in` and `rows_out` per second; `busy` and `backpressured` as shares of 1; `behind` in ms."""

    def __init__(self, name, parallelism, rows_in, rows_out, busy, backpressured=0.0, inputs=(), behind=2200, id=None, description=None):
        self.id = id or hex_id(name)
        self.name, self.parallelism, self.rows_in, self.rows_out = name, parallelism, rows_in, rows_out
        self.busy, self.backpressured, self.inputs, self.behind = busy, backpressured, list(inputs), behind
        self.description = description or name.replace(" -> ", "<br/>+- ")

    def load(self, seconds):
        busy = min(1.0, self.busy * wave(seconds))
        backpressured = min(1 - busy, self.backpressured * wave(seconds + 40))
        return {"busy": busy, "backpressured": backpressured, "idle": 1 - busy - backpressured}

    def share(self, subtask):
        """Subtasks are not equal: the last ones get more."""
        weights = [1 + 0.25 * index for index in range(self.parallelism)]
        return weights[subtask] / sum(weights)

    def metrics(self, seconds, share=1.0):
        milliseconds = seconds * 1000 * (self.parallelism if share == 1.0 else 1)
        load = {"busy": self.busy, "backpressured": self.backpressured, "idle": 1 - self.busy - self.backpressured}
        rows = {"read": int(self.rows_in * waved(seconds) * share), "write": int(self.rows_out * waved(seconds) * share)}
        return {
            **{f"{way}-{what}": count * size for way, count in rows.items() for what, size in (("records", 1), ("bytes", 84))},
            **{f"{way}-{what}-complete": True for way in rows for what in ("records", "bytes")},
            **{f"accumulated-{name}-time": int(value * milliseconds) for name, value in load.items()},
        }


class Job:
    def __init__(self, name, vertices, workers, age_seconds, state="RUNNING", restarts=0, id=None):
        self.id, self.name, self.vertices, self.workers, self.state, self.restarts = id or hex_id(name), name, vertices, workers, state, restarts
        self.started = now_ms() - age_seconds * 1000
        self.ended = -1
        self.maximum = 720

    def seconds(self, at=None):
        return max(0.0, ((at or (self.ended if self.ended > 0 else now_ms())) - self.started - 400) / 1000)

    def end(self, state):
        self.state, self.ended = state, now_ms()

    def vertex(self, id):
        return next((vertex for vertex in self.vertices if vertex.id == id), None)

    def task_state(self):
        return {"RUNNING": "RUNNING", "FINISHED": "FINISHED", "CANCELED": "CANCELED", "RESTARTING": "SCHEDULED"}.get(self.state, "CANCELED")

    def worker(self, vertex, subtask):
        return self.workers[(subtask + self.vertices.index(vertex)) % len(self.workers)]

    # Answers in Flink's shapes

    def overview(self):
        total = sum(vertex.parallelism for vertex in self.vertices)
        return {
            "jid": self.id, "name": self.name, "jobType": "STREAMING", "schedulerType": "Adaptive", "start-time": self.started, "end-time": self.ended,
            "duration": (self.ended if self.ended > 0 else now_ms()) - self.started, "state": self.state, "last-modification": self.started + 500,
            "tasks": {"total": total, **{state.lower(): total if state == self.task_state() else 0 for state in STATES}}, "pending-operators": 0,
        }

    def details(self):
        state, seconds = self.task_state(), self.seconds()
        return {
            "jid": self.id, "application-id": self.id, "name": self.name, "isStoppable": False, "state": self.state, "job-type": "STREAMING", "schedulerType": "Adaptive",
            "start-time": self.started, "end-time": self.ended, "duration": self.overview()["duration"], "maxParallelism": self.maximum, "now": now_ms(),
            "timestamps": {name: {"INITIALIZING": self.started, "CREATED": self.started + 30, "RUNNING": self.started + 400, self.state: max(self.ended, self.started + 400)}.get(name, 0) for name in JOB_STATES},
            "vertices": [{
                "id": vertex.id, "slotSharingGroupId": self.id, "name": vertex.name, "maxParallelism": self.maximum, "parallelism": vertex.parallelism, "status": state,
                "start-time": self.started + 400, "end-time": self.ended, "duration": int(seconds * 1000),
                "tasks": {name: vertex.parallelism if name == state else 0 for name in STATES}, "metrics": vertex.metrics(seconds),
            } for vertex in self.vertices],
            "status-counts": {name: sum(vertex.parallelism for vertex in self.vertices) if name == state else 0 for name in STATES},
            "plan": {"jid": self.id, "name": self.name, "type": "STREAMING", "nodes": [{
                "id": vertex.id, "parallelism": vertex.parallelism, "operator": "", "operator_strategy": "", "description": vertex.description, "optimizer_properties": {},
                **({"inputs": [{"num": number, "id": source, "ship_strategy": strategy, "exchange": "pipelined_bounded"} for number, (source, strategy) in enumerate(vertex.inputs)]} if vertex.inputs else {}),
            } for vertex in self.vertices]},
            "pending-operators": 0, "restarts": self.restarts,
        }

    def vertex_details(self, vertex):
        return {
            "id": vertex.id, "name": vertex.name, "parallelism": vertex.parallelism, "maxParallelism": self.maximum, "now": now_ms(),
            "subtasks": [{
                "subtask": index, "status": self.task_state(), "attempt": self.restarts, "endpoint": f"{self.worker(vertex, index)}.internal", "start-time": self.started + 400, "end-time": self.ended,
                "duration": int(self.seconds() * 1000), "metrics": {**vertex.metrics(self.seconds(), vertex.share(index)), "state-bytes": int(9e6 * vertex.share(index) * wave(index * 7))},
                "taskmanager-id": self.worker(vertex, index),
            } for index in range(vertex.parallelism)],
        }

    def task_managers(self, vertex):
        subtasks = self.vertex_details(vertex)["subtasks"]
        by_worker = {worker: [each for each in subtasks if each["taskmanager-id"] == worker] for worker in sorted({each["taskmanager-id"] for each in subtasks})}
        return {"id": vertex.id, "name": vertex.name, "now": now_ms(), "taskmanagers": [{
            "endpoint": f"{worker}.internal", "taskmanager-id": worker, "status": self.task_state(), "start-time": self.started + 400, "end-time": self.ended, "duration": int(self.seconds() * 1000),
            "metrics": {name: sum(each["metrics"][name] for each in own) for name in ("read-records", "write-records", "read-bytes", "write-bytes")}, "status-counts": {state: len(own) if state == self.task_state() else 0 for state in STATES},
        } for worker, own in by_worker.items()]}

    def watermarks(self, vertex):
        if self.vertices.index(vertex) == 0 or self.state != "RUNNING":
            return []
        return [{"id": f"{index}.currentInputWatermark", "value": str(now_ms() - int(vertex.behind * wave(self.seconds() + index * 9)))} for index in range(vertex.parallelism)]

    def backpressure(self, vertex):
        load = vertex.load(self.seconds())
        level = "high" if load["backpressured"] > 0.5 else "low" if load["backpressured"] > 0.1 else "ok"
        subtask = {"backpressureLevel": level, "backpressure-level": level, "ratio": load["backpressured"], "busyRatio": load["busy"], "idleRatio": load["idle"]}
        return {"status": "ok", "backpressureLevel": level, "backpressure-level": level, "end-timestamp": now_ms(), "subtasks": [{"subtask": index, **subtask} for index in range(vertex.parallelism)]}

    def key_groups(self, vertex):
        heavy = [6 if group in (17, 333, 334) else 1 for group in range(self.maximum)]
        owners = [group * vertex.parallelism // self.maximum for group in range(self.maximum)]
        rates = [heavy[group] * (700 + 300 * math.sin(group * 1.7)) / 60 for group in range(self.maximum)]
        records = [int(rate * self.seconds()) for rate in rates]
        state = [int(heavy[group] * (9000 + 4000 * math.sin(group * 0.9))) for group in range(self.maximum)]
        subtasks = []
        for subtask in range(vertex.parallelism):
            own = [group for group in range(self.maximum) if owners[group] == subtask]
            hottest, all = max(own, key=lambda group: records[group]), sum(records[group] for group in own)
            subtasks.append({"subtask": subtask, "key-groups": len(own), "records": all, "records-per-second": sum(rates[group] for group in own), "read-bytes": all * 40,
                "state-bytes": sum(state[group] for group in own), "hottest-key-group": hottest, "hottest-share": records[hottest] / max(1, all)})
        return {"max-parallelism": self.maximum, "subtasks": subtasks, "owners": owners, "records": records, "records-per-second": rates, "state-bytes": state}

    def subtask_times(self, vertex):
        return {"id": vertex.id, "name": vertex.name, "now": now_ms(), "subtasks": [{
            "subtask": index, "endpoint": self.worker(vertex, index), "duration": int(self.seconds() * 1000),
            "timestamps": {"CREATED": self.started, "SCHEDULED": self.started + 30, "DEPLOYING": self.started + 90 + index * 20, "INITIALIZING": self.started + 220 + index * 35, self.task_state(): self.started + 400 + index * 30},
        } for index in range(vertex.parallelism)]}

    def flame(self, vertex):
        def node(name, value, *children):
            return {"name": name, "value": value, "children": list(children)}
        parsing = node("JSONDecoder.decode(_:into:)", 900, node("JSONScanner.nextToken()", 620, node("memchr", 210), node("UTF8Validator.validate(_:)", 240)), node("Column.append(double:)", 180))
        hashing = node("KeyTable.slots(forKeys:hashes:)", 460, node("hashRows(_:into:)", 260), node("KeyTable.probe(_:)", 150))
        return {"endTimestamp": now_ms(), "data": node("root", 2000, node("Slot.run()", 2000, node("Task.step()", 1960,
            node("WindowAggregate.process(_:input:to:)", 720, hashing, node("max(prices:slots:)", 190)), node("FileSourceReader.poll()", 1040, parsing, node("read", 90)), node("OutputPartition.flush()", 160, node("write", 80)))))}

    def checkpoint(self, number):
        trigger = self.started + 400 + number * 10_000
        failed = number % 17 == 16
        took = int(240 * wave(number * 31))
        size = int(4.8e6 + 1.2e6 * wave(number * 13))
        tasks = {}
        for index, vertex in enumerate(self.vertices):
            tasks[vertex.id] = {"id": number, "status": "FAILED" if failed else "COMPLETED", "latest_ack_timestamp": trigger + took * (index + 1) // len(self.vertices), "checkpointed_size": size // len(self.vertices), "state_size": 3 * size // len(self.vertices),
                "end_to_end_duration": took * (index + 1) // len(self.vertices), "alignment_buffered": 0, "processed_data": 4900, "persisted_data": 0, "num_subtasks": vertex.parallelism, "num_acknowledged_subtasks": vertex.parallelism}
        total = sum(vertex.parallelism for vertex in self.vertices)
        answer = {"className": "failed" if failed else "completed", "id": number, "status": "FAILED" if failed else "COMPLETED", "is_savepoint": False, "savepointFormat": None, "trigger_timestamp": trigger,
            "latest_ack_timestamp": trigger + took, "checkpointed_size": size, "state_size": 3 * size, "end_to_end_duration": took, "alignment_buffered": 0, "processed_data": 4900, "persisted_data": 0,
            "num_subtasks": total, "num_acknowledged_subtasks": total - 1 if failed else total, "checkpoint_type": "CHECKPOINT", "tasks": tasks}
        if failed:
            return {**answer, "failure_timestamp": trigger + took, "failure_message": "task window-aggregate (2/4) could not write to s3://checkpoints: 503 SlowDown"}
        return {**answer, "external_path": f"s3://checkpoints/{self.id}/chk-{number}", "discarded": number < self.checkpoints_so_far() - 1}

    def course(self):
        """Each restart ended a minute's run."""
        turns = [("INITIALIZING", 0), ("CREATED", 300), ("RUNNING", 400)]
        for number in range(self.restarts):
            turns += [("RESTARTING", 60_000 * (number + 1)), ("RUNNING", 60_000 * (number + 1) + 4_000)]
        return [{"state": state, "at": self.started + after} for state, after in turns]

    def checkpoints_so_far(self):
        return int(self.seconds() // 10) + 1

    def checkpoints(self):
        last = self.checkpoints_so_far()
        history = [{**self.checkpoint(number), "tasks": {}} for number in range(last - 1, max(-1, last - 31), -1)]
        done = [each for each in history if each["status"] == "COMPLETED"]
        failed = [each for each in history if each["status"] == "FAILED"]

        def spread(name):
            values = sorted(each[name] for each in done) or [0]
            at = lambda share: float(values[min(len(values) - 1, int(len(values) * share))])
            return {"min": values[0], "max": values[-1], "avg": sum(values) // len(values), "p50": at(.5), "p90": at(.9), "p95": at(.95), "p99": at(.99), "p999": at(.999)}
        names = ["checkpointed_size", "state_size", "end_to_end_duration", "alignment_buffered", "processed_data", "persisted_data"]
        return {"counts": {"restored": self.restarts, "total": last, "in_progress": 0, "completed": last - last // 17, "failed": last // 17}, "summary": {name: spread(name) for name in names},
            "latest": {"completed": done[0] if done else None, "savepoint": None, "failed": failed[0] if failed else None, "restored": {"id": 3, "restore_timestamp": self.started, "is_savepoint": False, "external_path": f"s3://checkpoints/{self.id}/chk-3"} if self.restarts else None}, "history": history}

    def history(self, since):
        step = 10_000
        first = max(self.started + 400, since + 1, now_ms() - 3_600_000)
        times = list(range((first // step + 1) * step, now_ms(), step))
        vertices = {}
        for vertex in self.vertices:
            seconds = [self.seconds(at) for at in times]
            loads = [vertex.load(each) for each in seconds]
            behind = None if self.vertices.index(vertex) == 0 else vertex.behind
            vertices[vertex.id] = {
                "records-in-per-second": [vertex.rows_in * wave(each) for each in seconds], "records-out-per-second": [vertex.rows_out * wave(each) for each in seconds],
                "bytes-in-per-second": [84 * vertex.rows_in * wave(each) for each in seconds], "bytes-out-per-second": [84 * vertex.rows_out * wave(each) for each in seconds],
                "busy": [load["busy"] for load in loads], "backpressured": [load["backpressured"] for load in loads], "idle": [load["idle"] for load in loads],
                "watermark": [at - int(behind * wave(self.seconds(at))) if behind else None for at in times], "pending-records": [int(vertex.backpressured * 90_000 * wave(each)) if not vertex.inputs else None for each in seconds],
            }
        # Four digits are enough for a chart.
        vertices = {id: {name: [None if value is None else value if name == "watermark" else float(f"{value:.4g}") for value in values] for name, values in columns.items()} for id, columns in vertices.items()}
        last = self.checkpoints_so_far() - 1
        done = [self.checkpoint(number) for number in range(max(0, last - 359), last)]
        kept = [{name: each[name] for name in ("id", "trigger_timestamp", "is_savepoint", "end_to_end_duration", "checkpointed_size", "state_size")} for each in done if each["status"] == "COMPLETED" and each["latest_ack_timestamp"] > since]
        return {"now": now_ms(), "interval": step, "timestamps": times, "vertices": vertices, "checkpoints": kept, "course": self.course(), "events": [{"at": now_ms() // 600_000 * 600_000, "kind": "layout", "text": "layout 4: 2 TaskManagers, 8 slots"}]}
