"""How fast, how small, how fresh: ``python -m benchmarks`` measures all of it on this machine.

In: an installed Sartor, wrk, two cores. Out: a table, ``benchmarks/results/*.json`` and ``docs/benchmarks.md``.
Read ``__main__.py`` first: it lists the measurements in order.
"""
