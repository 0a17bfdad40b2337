"""The data plane: rank, reward and activate, for one slot and for several.

In: a request body. Out: a decision or an observation that is committed, and its response. Read ``app.py``
first, then ``decoding.py``.
"""
