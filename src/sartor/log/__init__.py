"""In: decisions, rewards and activations as they arrive. Out: outcomes, one for each decision at most.

``writer.py`` puts events into the log; ``settler.py`` turns the log into outcomes. The rules by which a
decision is settled are in ``settle.py``: read that first.
"""
