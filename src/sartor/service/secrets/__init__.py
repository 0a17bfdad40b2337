"""Secrets of an instance, from outside: the environment, a file, or a vault.

In: the name of a secret. Out: its text. Read ``source.py`` first; each kind of vault is one file.
"""
