"""The SQLite store: in come events, outcomes, models and loops; out they come again, in order, after any crash.

A data folder holds one catalog and a folder per loop (``layout``). Read ``folder`` first, then ``events``.
Nothing outside this room knows SQLite; what a store promises is in ``sartor.ports``.
"""
