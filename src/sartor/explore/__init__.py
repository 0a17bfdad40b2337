"""Exploration: a request and an engine's probabilities go in; a decision that can be recomputed comes out.

Everything here is pure: the draw is a function of the loop and the event id. ``decide.py`` decides one slot
(read it first), ``slots.py`` several; ``response_view.py`` has what the caller gets; ``recompute.py`` and
``why.py`` look at past decisions. How much is explored is in the engine's probabilities already, as the
learning settings say (``learn/policy.py``); floor and control group are mixed in here (``control.py``).
"""
