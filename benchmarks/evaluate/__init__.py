"""How fast estimators take in a log: ``python -m benchmarks.evaluate``."""
