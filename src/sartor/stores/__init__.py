"""The SQLite store: events, outcomes, models, jobs and loops in a data folder, durable through any crash.

A data folder holds one catalog and a folder per loop (``layout``). Read ``stores`` first, then ``events``.
Nothing outside this room knows SQLite; what a store promises is in ``sartor.ports``.
"""
