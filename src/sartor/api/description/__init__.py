"""OpenAPI documents and the documentation page, made from the route tables and the structs of the bodies.

In: routes. Out: JSON and HTML. Read ``openapi.py`` first.
"""
