"""Quotas: how many ranks a loop may have, counted across all api processes of an instance.

In: the terms of a loop. Out: a meter that says no in time. Read ``meter.py`` first, then ``board.py``.
"""
