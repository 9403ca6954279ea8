-- Ten made-up trades, printed as they come. Nothing else is needed:
--   .build/release/swiftwater run examples/hello.sql

CREATE TABLE trades (
  id BIGINT,
  ticker STRING,
  price DOUBLE
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5',
  'fields.id.kind' = 'sequence',
  'fields.id.start' = '1',
  'fields.id.end' = '10',
  'fields.ticker.length' = '4',
  'fields.price.min' = '500',
  'fields.price.max' = '1000'
);

SELECT id, UPPER(ticker) AS ticker, ROUND(price, 2) AS price, price > 900 AS is_high FROM trades;
