"""Deploying: models go in; out comes the engine that serves in this process.

There is one file, ``live.py``.
"""
