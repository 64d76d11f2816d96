"""What helps people develop and must not ship: a local stack, sample data, benchmarks."""
