"""Which learning settings a new loop should start with: candidates, compared in all worlds of the lab.

In: nothing but an installed Sartor. Out: ``results/*.json`` and ``results/*.md``. Run it with ``nice python -m
benchmarks.policies``; read ``candidates.py`` first. The decision, and the commands of both rounds, are in
``docs/design/default-policy.md``.
"""
