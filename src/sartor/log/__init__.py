"""The log of a loop: decisions, rewards and activations go in; outcomes come out, one per decision at most.

``writer.py`` appends events. ``settle.py`` has the rules by which a decision is settled, and a reward is late:
read it first. ``settler.py`` applies them to the log step by step, with ``reward_windows.py`` as its memory;
``resettle.py`` settles the last days again under changed rules. ``joined_log.py`` reads what was settled.
"""
