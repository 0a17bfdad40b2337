"""Sartor: a decision service that learns which action to show to whom.

Start reading at ``records`` (the facts) and ``ports`` (what a store and an engine must do), then the rooms in
the order in which data flows: ``explore``, ``log``, ``learn``, ``deploy``, ``evaluation``. ``api`` and ``cli``
are how it is called, ``service`` is how it runs. ``docs/design/architecture.md`` has all rooms.
"""
