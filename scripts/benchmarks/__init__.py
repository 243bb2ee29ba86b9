"""One file a benchmark; `scripts/benchmark.py` runs them."""
