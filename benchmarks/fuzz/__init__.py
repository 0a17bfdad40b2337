"""Fuzzes a real service: accepted and mutated requests on all planes, every answer parsed strictly.

In: a seed and a number of requests. Out: a report, and exit code 1 if anything is wrong. Read ``__main__.py``
first.
"""
