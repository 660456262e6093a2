"""That the benchmarks run, and measure what they name."""
