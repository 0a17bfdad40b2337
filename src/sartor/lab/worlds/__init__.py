"""One file for each world: its domain, users and reward, and what makes it difficult.

In: nothing. Out: a class each, listed in ``sartor.lab.registry``. Read ``tutorial.py`` first.
"""
