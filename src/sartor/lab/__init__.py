"""Worlds that answer back: synthetic users with a known best policy, and the player that meets them.

In: the name of a world, and a running service (``play``) or an engine (``simulate``). Out: a ``Report``
that says how much of the best possible reward was earned. Read ``world`` first, then ``worlds.tutorial``.
"""
