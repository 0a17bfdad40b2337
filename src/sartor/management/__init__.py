"""Management: changes of loops, their models and their logs.

In: the instance's stores, and who acts. Out: changed loops and models, each change in the audit log. HTTP and
the command line call these functions; read ``loops.py`` first, then ``lifecycle.py`` and ``models.py``.
"""
