"""Routing: what a route is, the table of all routes of every API version, and how a path is matched.

In: a method and a path. Out: a route and the id in its path. Read ``route_table.py`` first.
"""
