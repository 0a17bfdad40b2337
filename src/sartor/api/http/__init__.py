"""HTTP itself: the server, its connections and their limits, bodies, responses, error codes, health.

In: bytes of a connection. Out: ASGI calls, and responses in the shape of the retired service. Read
``server.py`` first, then ``response.py``.
"""
