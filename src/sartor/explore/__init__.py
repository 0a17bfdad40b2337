"""In: a context, actions and the probabilities of an engine. Out: a decision that can be recomputed.

Everything here is pure: the draw is a function of the loop and the event id. Read ``decide.py`` first.
"""
