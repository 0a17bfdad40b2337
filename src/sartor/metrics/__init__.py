"""Metrics of a loop: the scorecard, how well the apprentice matches its baseline, learning over time.

In: outcomes. Out: running sums, exact after any crash, and what they say. Read ``scorecard.py`` first.
"""
