"""What scripts/cluster-test runs: stories on clusters of real processes."""
