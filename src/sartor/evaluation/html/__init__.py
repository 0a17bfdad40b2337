"""The report of an evaluation as one page of HTML.

In: an ``EvaluationReport``. Out: a page that needs nothing else, no script, no font, no image. Read ``page.py``
first; ``table``, ``policy_cards`` and ``charts`` are its parts, ``svg`` draws.
"""
