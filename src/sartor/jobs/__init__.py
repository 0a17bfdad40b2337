"""Jobs: long computations of loops, claimed from a queue and run in child processes.

In: a job from a loop's queue. Out: its result in the queue. ``worker.py`` claims jobs, ``launcher.py`` starts
the child and waits for jobs, ``child.py`` computes one, ``heartbeat.py`` keeps the claim alive.
"""
