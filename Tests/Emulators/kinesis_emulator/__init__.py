"""A stand-in for Amazon Kinesis Data Streams that shows what other stand-ins do not. See ../README.md."""
