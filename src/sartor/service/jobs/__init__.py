"""Long computations of loops, in child processes.

In: a job from a loop's queue. Out: its result in the queue. ``work/jobs.py`` claims jobs; ``labour.py`` starts
the child, ``child.py`` is what runs in it, and ``kinds.py`` says what is computed for which kind.
"""
