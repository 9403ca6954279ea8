"""What scripts/kinesis-conformance runs: the same cases against every Kinesis stand-in."""
