-- Keeps the expensive trades and writes them as JSON lines, into files that appear whole:
--   .build/release/swiftwater run examples/filter-to-files.sql && head examples/data/expensive/*

CREATE TABLE trades (
  id BIGINT,
  price DOUBLE,
  quantity INT
) WITH (
  'connector' = 'datagen',
  'number-of-rows' = '100000',
  'fields.id.kind' = 'sequence',
  'fields.id.start' = '1',
  'fields.id.end' = '100000',
  'fields.price.min' = '500',
  'fields.price.max' = '1000',
  'fields.quantity.min' = '1',
  'fields.quantity.max' = '100'
);

CREATE TABLE expensive (
  id BIGINT,
  price DOUBLE,
  amount DOUBLE
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/data/expensive',
  'format' = 'json'
);

INSERT INTO expensive
SELECT id, ROUND(price, 2), ROUND(price * quantity, 2) FROM trades WHERE price >= 990;
