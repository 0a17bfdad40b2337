"""The wire: HTTP in, decisions and observations out. Only this room knows paths, headers and status codes.

In come ASGI requests of every version of the Personalizer wire; out go events to a loop's writer, changes of
loops, and answers to callers. Read ``table.py`` first: all routes, from which requests are dispatched and the
descriptions made. Then ``dataplane.py``, the straight line that every rank and reward takes, and ``office.py``,
where the administration runs on threads. ``app.py`` puts them together; ``server.py`` puts it behind sockets.
What the wire's contract leaves open is decided in ``docs/reference/wire.md``.
"""
