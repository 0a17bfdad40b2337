"""Management: what can be done to a loop, its models and its log.

In: the instance's stores, and who acts. Out: changed loops and models, each change on the audit log. HTTP and
the command line call these functions; read ``loops.py`` first, then ``lifecycle.py`` and ``models.py``.
"""
