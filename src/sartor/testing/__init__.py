"""Fakes for tests of Sartor and of what is built on it: stores in memory, a clock set by hand, builders.

The stores implement the ports of ``sartor.ports`` without a disk; the same contract suite runs on them as on
the SQLite store. Read ``stores`` first.
"""
