"""The composition root: the rooms put together into an instance that runs, is changed, and can be checked.

In: where the data is. Out: stores and engines of the kind that was asked for (``compose.py``, read it first),
what can be done to a loop (``loops.py``), the processes and their supervisor (``processes/``), and what an
instance can prove about itself (``audit/``).
"""
