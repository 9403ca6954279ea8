import Dataflow
import Settings

/// The job of the blog post, `com.amazonaws.services.kinesisanalytics.S3StreamingSinkJob`: the highest price of each ticker in the last 10 s,
/// every 5 s, from a Kinesis stream into files on S3.
///
/// It keeps the original's meaning: rows have the time at which the source reads them (ingestion time); reading begins with what comes
/// after the first start; a shard without rows holds the others' windows back for a second at most; a price that is no number counts as 0.0, as Jackson's `asDouble` says; each result is `ABCD,987.0,987.0` and an
/// empty line, since the original ends its line itself and its encoder ends it once more. A row without TICKER or PRICE fails the job, as
/// there, but it is not tried again for ever.
enum S3StreamingSinkJob {
    static let className = "com.amazonaws.services.kinesisanalytics.S3StreamingSinkJob"
    static let argumentNames = ["inputStreamName", "region", "s3SinkPath", "checkpoint-dir", "endpoint"]
    /// The original's parallelism of its window: here the most that is used.
    static let maximumParallelism = 8

    static func script(_ arguments: ProgramArguments, _ configuration: Configuration) throws(StreamError) -> String {
        try arguments.check(known: argumentNames)
        let stream = try arguments.required("inputStreamName")
        let region = try arguments.required("region")
        let sink = try arguments.required("s3SinkPath")
        let checkpoints = try arguments.required("checkpoint-dir")
        let endpoint = arguments.values["endpoint"].map { ",\n  'aws.endpoint' = \(quoted($0))" } ?? ""
        let parallelism = min(configuration.get(PipelineOptions.parallelism), maximumParallelism)
        return """
            SET 'pipeline.name' = 'Flink S3 Streaming Sink Job';
            SET 'parallelism.default' = '\(parallelism)';
            SET 'execution.checkpointing.interval' = '10 s';
            SET 'execution.checkpointing.dir' = \(quoted(checkpoints));

            CREATE TABLE input (
              TICKER STRING,
              PRICE STRING,
              price_read AS COALESCE(TRY_CAST(PRICE AS DOUBLE), CAST(0 AS DOUBLE)),
              ingested AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)),
              WATERMARK FOR ingested AS ingested - INTERVAL '0.001' SECOND
            ) WITH (
              'connector' = 'kinesis',
              'stream' = \(quoted(stream)),
              'aws.region' = \(quoted(region))\(endpoint),
              'source.init.position' = 'LATEST',
              'scan.watermark.idle-timeout' = '1 s',
              'format' = 'json',
              'json.fail-on-missing-field' = 'true'
            );

            CREATE TABLE S3_sink (line STRING) WITH (
              'connector' = 'filesystem',
              'path' = \(quoted(sink)),
              'format' = 'raw',
              'sink.bucket.date-pattern' = 'yyyy-MM-dd--HH',
              'sink.rolling-policy.file-size' = '128 mb',
              'sink.rolling-policy.rollover-interval' = '60 s',
              'sink.rolling-policy.inactivity-interval' = '60 s',
              'sink.rolling-policy.check-interval' = '60 s'
            );

            INSERT INTO S3_sink
            SELECT COALESCE(TICKER, 'null') || ',' || CAST(MAX(price_read) AS STRING) || ',' || CAST(MAX(price_read) AS STRING) || '
            '
            FROM TABLE(HOP(TABLE input, DESCRIPTOR(ingested), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
            GROUP BY window_start, window_end, TICKER;
            """
    }

    private static func quoted(_ text: String) -> String { "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'" }
}
