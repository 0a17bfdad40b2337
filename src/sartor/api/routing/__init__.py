"""Routing: what a route is, the versions of the API, and how a path is matched.

In: a method and a path. Out: a route and the id in its path. Read ``routes.py`` first. The tables
themselves are in ``api/route_table.py``.
"""
