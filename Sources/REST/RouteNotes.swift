private let text: JSON = ["type": "string"]
private let number: JSON = ["type": "integer"]

private let chosen: [(name: String, schema: JSON, text: String)] = [("get", text, "names, separated by commas; without it the names that there are")]
private let aggregated = chosen + [("agg", text, "min, max, avg, sum, skew: some of them, separated by commas")]
private func filter(_ name: String, _ text: String) -> [(name: String, schema: JSON, text: String)] { [(name, ["type": "string"], text)] }

/// By method and path, as the description writes it.
let routeNotes: [String: RouteNote] = [
    "GET /openapi.json": RouteNote(summary: "This description"),
    // The cluster
    "GET /overview": RouteNote(summary: "TaskManagers, slots and jobs in numbers"),
    "GET /config": RouteNote(summary: "What the dashboard must know about the server"),
    "GET /datasets": RouteNote(summary: "Always empty: there are no cached data sets"),
    "GET /spot": RouteNote(summary: "Machines, notices, moves and what Spot saves"),
    "DELETE /cluster": RouteNote(summary: "Ends the JobManager", writes: true),
    "GET /applications/overview": RouteNote(summary: "Each job as the application that it is in Flink 2.3"),
    "GET /applications/{job}": RouteNote(summary: "One application with its job"),
    "GET /applications/{job}/exceptions": RouteNote(summary: "Its failures"),
    "GET /applications/{job}/jobmanager/config": RouteNote(summary: "The JobManager's settings, secrets masked", kind: .array),
    // Processes
    "GET /jobmanager/config": RouteNote(summary: "Settings, secrets masked", kind: .array),
    "GET /jobmanager/environment": RouteNote(summary: "What runs the process"),
    "GET /jobmanager/metrics": RouteNote(summary: "Figures of the JobManager", kind: .array, query: chosen),
    "GET /jobmanager/history": RouteNote(summary: "The JobManager's last hour in columns", query: [("since", number, "only what came after, milliseconds since the epoch")]),
    "GET /jobmanager/logs": RouteNote(summary: "Log files that there are"),
    "GET /jobmanager/logs/{file}": RouteNote(summary: "A log file", kind: .text),
    "GET /jobmanager/log": RouteNote(summary: "The log file that is being written", kind: .text),
    "GET /jobmanager/stdout": RouteNote(summary: "What was printed, where that is a file", kind: .text),
    "GET /jobmanager/thread-dump": RouteNote(summary: "What every thread is doing"),
    "GET /taskmanagers": RouteNote(summary: "All TaskManagers"),
    "GET /taskmanagers/metrics": RouteNote(summary: "Figures over all TaskManagers", kind: .array, query: aggregated + filter("taskmanagers", "of these alone: ids, separated by commas")),
    "GET /taskmanagers/{worker}": RouteNote(summary: "One TaskManager with its memory and slots"),
    "GET /taskmanagers/{worker}/metrics": RouteNote(summary: "Its figures", kind: .array, query: chosen),
    "GET /taskmanagers/{worker}/history": RouteNote(summary: "Its last hour in columns", query: [("since", number, "only what came after, milliseconds since the epoch")]),
    "GET /taskmanagers/{worker}/logs": RouteNote(summary: "Log files that there are"),
    "GET /taskmanagers/{worker}/logs/{file}": RouteNote(summary: "A log file", kind: .text),
    "GET /taskmanagers/{worker}/log": RouteNote(summary: "The log file that is being written", kind: .text),
    "GET /taskmanagers/{worker}/stdout": RouteNote(summary: "What was printed, where that is a file", kind: .text),
    "GET /taskmanagers/{worker}/thread-dump": RouteNote(summary: "What every thread is doing"),
    "POST /taskmanagers/{worker}/drain": RouteNote(summary: "Moves a TaskManager's tasks to others", body: .json(.drain), status: 202, writes: true),
    // Jobs
    "GET /jobs": RouteNote(summary: "Ids and states"),
    "POST /jobs": RouteNote(
        summary: "Submits a script",
        body: .json(.submission), writes: true),
    "POST /sql/explain": RouteNote(summary: "Plans a script and changes nothing; what is wrong with it is told with line and column", body: .json(.script)),
    "GET /jobs/overview": RouteNote(summary: "All jobs with their tasks in numbers"),
    "GET /jobs/metrics": RouteNote(summary: "Figures over all jobs", kind: .array, query: aggregated + filter("jobs", "of these alone: ids, separated by commas")),
    "GET /jobs/{job}": RouteNote(summary: "One job with its vertices and plan"),
    "PATCH /jobs/{job}": RouteNote(summary: "Cancels the job", query: [("mode", ["type": "string", "enum": ["cancel"]], "cancel")], status: 202, writes: true),
    "GET /jobs/{job}/status": RouteNote(summary: "Its state"),
    "GET /jobs/{job}/plan": RouteNote(summary: "Its plan"),
    "GET /jobs/{job}/config": RouteNote(summary: "Its settings, secrets masked"),
    "GET /jobs/{job}/exceptions": RouteNote(summary: "Why it failed, newest first", query: [("maxExceptions", ["type": "integer", "minimum": 0], "how many")]),
    "GET /jobs/{job}/accumulators": RouteNote(summary: "Always empty: there are no accumulators"),
    "GET /jobs/{job}/metrics": RouteNote(summary: "Its figures", kind: .array, query: chosen),
    "GET /jobs/{job}/history": RouteNote(summary: "Its last hour in columns", query: [("since", number, "only what came after, milliseconds since the epoch")]),
    "GET /jobs/{job}/rescales/overview": RouteNote(summary: "How many changes of the layout there were, and the newest"),
    "GET /jobs/{job}/rescales/history": RouteNote(summary: "The changes of the layout, newest first", kind: .array),
    "GET /jobs/{job}/rescales/summary": RouteNote(summary: "How long they took"),
    "GET /jobs/{job}/rescales/config": RouteNote(summary: "When a layout changes"),
    "GET /jobs/{job}/rescales/details/{rescale}": RouteNote(summary: "One change, vertex by vertex and step by step"),
    "GET /jobs/{job}/autoscaling": RouteNote(summary: "What parallelism each vertex should have"),
    "GET /jobs/{job}/execution-result": RouteNote(summary: "How it ended"),
    "GET /jobs/{job}/jobmanager/config": RouteNote(summary: "The JobManager's settings, secrets masked", kind: .array),
    "GET /jobs/{job}/jobmanager/environment": RouteNote(summary: "What runs the JobManager"),
    "GET /jobs/{job}/jobmanager/log-url": RouteNote(summary: "Where the JobManager's log is shown"),
    "GET /jobs/{job}/taskmanagers/{worker}/log-url": RouteNote(summary: "Where a TaskManager's log is shown"),
    "GET /jobs/{job}/resource-requirements": RouteNote(summary: "How many subtasks each vertex may have"),
    "PUT /jobs/{job}/resource-requirements": RouteNote(summary: "Changes that, while the job runs", body: .anyObject, writes: true),
    // Checkpoints
    "GET /jobs/{job}/checkpoints": RouteNote(summary: "Counts, the latest, and the history"),
    "POST /jobs/{job}/checkpoints": RouteNote(summary: "Takes one now", body: .json(.checkpoint), status: 202, writes: true),
    "GET /jobs/{job}/checkpoints/config": RouteNote(summary: "When they are taken and where they go"),
    "GET /jobs/{job}/checkpoints/details/{checkpoint}": RouteNote(summary: "One checkpoint"),
    "GET /jobs/{job}/checkpoints/details/{checkpoint}/subtasks/{vertex}": RouteNote(summary: "One checkpoint of one vertex, by subtask"),
    "GET /jobs/{job}/checkpoints/{trigger}": RouteNote(summary: "How an asked-for checkpoint stands"),
    "POST /jobs/{job}/savepoints": RouteNote(
        summary: "Takes a savepoint", body: .json(.savepoint), status: 202, writes: true),
    "GET /jobs/{job}/savepoints/{trigger}": RouteNote(summary: "How a savepoint or stop stands"),
    "POST /jobs/{job}/stop": RouteNote(
        summary: "Stops the job with a savepoint", body: .json(.stop), status: 202, writes: true),
    // Vertices
    "GET /jobs/{job}/vertices/{vertex}": RouteNote(summary: "One vertex with its subtasks"),
    "GET /jobs/{job}/vertices/{vertex}/accumulators": RouteNote(summary: "Always empty"),
    "GET /jobs/{job}/vertices/{vertex}/backpressure": RouteNote(summary: "How busy, idle and held back each subtask is"),
    "GET /jobs/{job}/vertices/{vertex}/flamegraph": RouteNote(
        summary: "Where its tasks spend their time; sampled when asked for",
        query: [("type", ["type": "string", "enum": ["full", "on_cpu", "off_cpu"]], "which stacks"), ("subtaskindex", ["type": "integer", "minimum": 0], "of one subtask")]),
    "GET /jobs/{job}/vertices/{vertex}/jm-operator-metrics": RouteNote(summary: "Always empty", kind: .array, query: chosen),
    "GET /jobs/{job}/vertices/{vertex}/key-groups": RouteNote(summary: "How evenly keys fall, by key group and by subtask"),
    "GET /jobs/{job}/vertices/{vertex}/metrics": RouteNote(summary: "Figures of each subtask", kind: .array, query: chosen),
    "GET /jobs/{job}/vertices/{vertex}/subtasks/accumulators": RouteNote(summary: "Always empty"),
    "GET /jobs/{job}/vertices/{vertex}/subtasks/metrics": RouteNote(
        summary: "Figures over all subtasks", kind: .array, query: aggregated + filter("subtasks", "of these alone: numbers and ranges, separated by commas: 1,3-5")),
    "GET /jobs/{job}/vertices/{vertex}/subtasks/{subtask}": RouteNote(summary: "One subtask"),
    "GET /jobs/{job}/vertices/{vertex}/subtasks/{subtask}/metrics": RouteNote(summary: "Its figures", kind: .array, query: chosen),
    "GET /jobs/{job}/vertices/{vertex}/subtasks/{subtask}/attempts/{attempt}": RouteNote(summary: "Its newest attempt"),
    "GET /jobs/{job}/vertices/{vertex}/subtasks/{subtask}/attempts/{attempt}/accumulators": RouteNote(summary: "Always empty"),
    "GET /jobs/{job}/vertices/{vertex}/subtasktimes": RouteNote(summary: "When each subtask reached which state"),
    "GET /jobs/{job}/vertices/{vertex}/taskmanagers": RouteNote(summary: "Its subtasks by TaskManager"),
    "GET /jobs/{job}/vertices/{vertex}/watermarks": RouteNote(summary: "The watermark of each subtask", kind: .array),
    // Stored scripts
    "GET /jars": RouteNote(summary: "Scripts that are stored"),
    "POST /jars/upload": RouteNote(summary: "Stores a script", body: .form, writes: true),
    "DELETE /jars/{script}": RouteNote(summary: "Deletes a script", writes: true),
    "POST /jars/{script}/run": RouteNote(
        summary: "Submits a stored script",
        query: [
            ("parallelism", number, "where the script names none"), ("savepointPath", text, "what the job starts from"),
            ("allowNonRestoredState", ["type": "boolean"], "start also when that holds more"), ("jobid", text, "32 hex digits"),
            ("claimMode", ["type": "string", "enum": ["NO_CLAIM"]], "the job owns nothing of what it starts from"),
        ],
        body: .json(.run), writes: true),
    "GET /jars/{script}/plan": RouteNote(summary: "Its plan"),
    "POST /jars/{script}/plan": RouteNote(summary: "Its plan"),
]
