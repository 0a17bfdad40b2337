"""Work that nobody waits for.

In: the stores of an instance. Out: stores that stay small and quick, and copies of logs elsewhere. Read
``housekeeping.py`` and ``mirror.py`` first.
"""
