"""Bearer tokens: whose are accepted, how they are checked, and which roles their holders have.

In: a token and the issuers that an instance trusts. Out: a caller. Read ``verifier.py`` first.
"""
