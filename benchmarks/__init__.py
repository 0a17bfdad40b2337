"""Benchmarks of throughput, latency, memory, disk and freshness: ``python -m benchmarks`` runs all of them.

In: an installed Sartor, wrk, two cores. Out: a table, ``benchmarks/results/*.json`` and ``docs/benchmarks.md``.
Read ``__main__.py`` first: it lists the measurements in order.
"""
