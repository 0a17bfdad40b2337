"""Verification: what an instance can prove about itself.

In: the stores of a loop. Out: findings; nothing is written. ``doctor.py`` checks a loop's folder,
``decision_replay.py`` recomputes a decision, ``model_replay.py`` relearns a model, ``explain.py`` says why a
decision fell as it did.
"""
