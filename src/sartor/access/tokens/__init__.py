"""Bearer tokens: which issuers are trusted, how a token is verified, which roles its claims give.

In: a token and the issuers that an instance trusts. Out: a caller. Read ``verifier.py`` first.
"""
