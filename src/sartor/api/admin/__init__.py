"""The administrative routes of the retired service: configuration, policy, models, logs, evaluations.

In: one authenticated request, on a thread. Out: a response. Read ``app.py`` first, then ``configuration.py``.
"""
