"""The control plane: loops as resources on terms, who changed what, what was used, what is erased.

In: the instance's stores, and who acts. Out: loops, and lines of the activity log. Every door uses these
functions; read ``acting.py`` first, then ``lifecycle.py``.
"""
