"""Simulated worlds: synthetic users with a known best policy, played against a service or an engine.

In: the name of a world, and a running service (``play.py``) or an engine (``simulate.py``). Out: a
``PlayReport`` that says how much of the best possible reward was earned. Read ``world.py`` first, then
``worlds/tutorial.py``.
"""
