"""Metrics of a loop, not of a process: the scorecard, how well the model matches the baseline, learning curves.

In: outcomes. Out: running sums, exact after any crash. ``checkpointed_fold.py`` keeps them up to date and reads
them; ``scorecard.py`` and ``apprentice.py`` say what is folded.
"""
