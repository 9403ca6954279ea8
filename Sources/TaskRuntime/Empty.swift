// TaskRuntime
