"""The control plane on HTTP, ``/sartor/v1/…``: loops as resources, for people's tools and for automation.

In: requests of callers with roles. Out: JSON, and errors in the shape of all others. Read ``loops.py`` first,
then ``wire.py``.
"""
