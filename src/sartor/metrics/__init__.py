"""Metrics of a loop: the scorecard, how well the model matches the baseline, learning over time.

In: outcomes. Out: running sums, exact after any crash. ``checkpointed_fold.py`` keeps them up to date and reads
them; ``scorecard.py`` and ``apprentice.py`` say what is folded.
"""
