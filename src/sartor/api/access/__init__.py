"""Who may come in: keys, bearer tokens, roles, allowed networks, quotas, and those who try too often.

In: the head of a request. Out: the desk of a loop, or a refusal. Read ``gatekeeper.py`` first.
"""
