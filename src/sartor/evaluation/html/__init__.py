"""The report of an evaluation as one page of HTML.

In: a ``Report``. Out: a page that needs nothing else, no script, no font, no picture. Read ``page.py`` first.
"""
