-- A total per account that changes with every trade. A changelog says how: +I a new row, -U and +U a row before and after.
--   .build/release/swiftwater run examples/running-totals.sql

CREATE TABLE trades (
  account INT,
  quantity INT
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '4',
  'number-of-rows' = '20',
  'fields.account.min' = '1',
  'fields.account.max' = '3',
  'fields.quantity.min' = '1',
  'fields.quantity.max' = '100'
);

CREATE TABLE totals (
  account INT,
  trades BIGINT,
  quantity BIGINT
) WITH (
  'connector' = 'print'
);

INSERT INTO totals
SELECT account, COUNT(*), SUM(quantity) FROM trades GROUP BY account;
