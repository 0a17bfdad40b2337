"""Access control: API keys, tokens, roles, allowed networks, throttling of failed attempts, quotas, secrets.

In: the head of a request. Out: the loop it addresses and the caller's rights, or a refusal. Read
``authentication.py`` first.
"""
