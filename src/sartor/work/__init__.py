"""Work that nobody waits for.

In: the stores of an instance. Out: stores that stay small and quick. Read ``housekeeping.py`` first.
"""
