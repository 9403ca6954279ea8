-- The blog post's pipeline with event time: the highest price of each ticker in the last 10 seconds, every 5 seconds, from a Kinesis stream into
-- files on S3, exactly once. Unlike the original (which takes the time at which it reads), a replay gives the same windows again.
--
-- Start it on a cluster whose TaskManagers have AWS credentials (environment, IRSA, Pod Identity, or the node's role):
--   swiftwater submit examples/kinesis-to-s3.sql -D execution.checkpointing.dir=s3://BUCKET/recovery
-- Fill the stream:  swiftwater datagen --template examples/stock-ticker/ticks.template.json --stream ExampleInputStream --rate 1000

SET 'pipeline.name' = 'highest-price';
SET 'execution.checkpointing.interval' = '10 s';

CREATE TABLE ticks (
  EVENT_TIME STRING,
  TICKER STRING,
  PRICE DOUBLE,
  -- 'Sunday, November 22nd 2026, 11:04:39 am' without the weekday and without the 'nd': 'November 22, 2026, 11:04:39 AM'.
  event_time_parsed AS TO_TIMESTAMP(
    CONCAT_WS(', ',
      REGEXP_EXTRACT(EVENT_TIME, '([A-Z][a-z]+ [0-9]+)(st|nd|rd|th) ', 1),
      UPPER(REGEXP_EXTRACT(EVENT_TIME, '(st|nd|rd|th) ([0-9]{4}.*)', 2))),
    'MMMM d, yyyy, h:mm:ss a'),
  WATERMARK FOR event_time_parsed AS event_time_parsed - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kinesis',
  'stream' = 'ExampleInputStream',
  'aws.region' = 'us-west-2',
  'source.init.position' = 'LATEST',
  -- A shard without rows holds the windows of the others back for no longer than this.
  'scan.watermark.idle-timeout' = '10 s',
  'format' = 'json'
);

CREATE TABLE highest_prices (
  ticker STRING,
  window_end TIMESTAMP(3),
  highest DOUBLE
) WITH (
  'connector' = 'filesystem',
  'path' = 's3://BUCKET/data',
  'format' = 'csv',
  'sink.bucket.date-pattern' = 'yyyy-MM-dd--HH',
  -- A file is closed a minute after its first row and there with the next checkpoint; without this, after half an hour.
  'sink.rolling-policy.rollover-interval' = '1 min',
  'sink.rolling-policy.check-interval' = '10 s'
);

INSERT INTO highest_prices
SELECT TICKER, window_end, MAX(PRICE)
FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time_parsed), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end, TICKER;
