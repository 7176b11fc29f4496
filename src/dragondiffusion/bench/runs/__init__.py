"""Runs of the benchmark: what is compared, what is measured, and where results are kept."""
