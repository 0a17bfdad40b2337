"""One file for each world: its trade, its users, its reward, and what makes it hard.

In: nothing. Out: a class each, listed in ``sartor.lab.registry``. Read ``tutorial`` first.
"""
