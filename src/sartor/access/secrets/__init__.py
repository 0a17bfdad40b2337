"""Secrets of an instance that are kept outside it: in the environment, in a file, or in a vault.

In: the name of a secret. Out: its text. Read ``resolver.py`` first; each kind of vault is one file.
"""
