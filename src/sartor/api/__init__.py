"""The wire: HTTP in, decisions and observations out. Only this room knows paths, headers and status codes.

In come ASGI requests of the Personalizer v1.0 wire; out go events to a loop's writer and answers to callers.
Read ``dataplane.py`` first: the straight line that every rank and reward takes. ``app.py`` puts it beside the
few pages for people and probes; ``server.py`` puts it behind sockets. What the wire's contract leaves open is
decided in ``docs/reference/wire.md``.
"""
