-- The highest price of each ticker in the last 10 seconds, every 5 seconds: the job of the stock-ticker example.
--
-- Ticks come as JSON lines in files that appear in a folder (`swiftwater datagen --to` writes them). They look so:
--   {"EVENT_TIME": "Sunday, November 22nd 2026, 11:04:39 am", "TICKER": "ABCD", "PRICE": "750", "ID": "…"}
-- The time is text for people and the price is a number in quotes; both are read here, in SQL.

SET 'pipeline.name' = 'stock-ticker';
SET 'parallelism.default' = '2';
SET 'execution.checkpointing.interval' = '500 ms';

CREATE TABLE ticks (
  EVENT_TIME STRING,
  TICKER STRING,
  PRICE DOUBLE,
  ID STRING,
  -- 'Sunday, November 22nd 2026, 11:04:39 am' without the weekday and without the 'nd': 'November 22, 2026, 11:04:39 AM'.
  event_time_parsed AS TO_TIMESTAMP(
    CONCAT_WS(', ',
      REGEXP_EXTRACT(EVENT_TIME, '([A-Z][a-z]+ [0-9]+)(st|nd|rd|th) ', 1),
      UPPER(REGEXP_EXTRACT(EVENT_TIME, '(st|nd|rd|th) ([0-9]{4}.*)', 2))),
    'MMMM d, yyyy, h:mm:ss a'),
  -- Two readers work side by side on files that follow each other: rows may be a few seconds out of order.
  WATERMARK FOR event_time_parsed AS event_time_parsed - INTERVAL '4' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/stock-ticker/data/ticks',
  'format' = 'json',
  'source.monitor-interval' = '200 ms'
);

CREATE TABLE highest_prices (
  window_start TIMESTAMP(3),
  window_end TIMESTAMP(3),
  ticker STRING,
  max_price DOUBLE,
  ticks BIGINT
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/stock-ticker/data/highest',
  'format' = 'csv'
);

INSERT INTO highest_prices
SELECT window_start, window_end, TICKER, MAX(PRICE), COUNT(*)
FROM TABLE(HOP(TABLE ticks, DESCRIPTOR(event_time_parsed), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end, TICKER;
