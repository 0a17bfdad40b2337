"""The HTTP API: requests in, decisions and observations out. Only this room knows paths and status codes.

In come ASGI requests of every version of the Personalizer wire; out go events to a loop's writer, changes of
loops, and responses. Read ``route_table.py`` first: all routes, from which requests are dispatched and the
descriptions made. Then ``dataplane/app.py``, the straight line that every rank and reward takes, and
``threaded_app.py``, which runs all other handlers on threads. ``app.py`` puts them together;
``http/server.py`` serves it. What the wire's contract leaves open is decided in ``docs/reference/wire.md``.
"""
