"""Import, export and mirroring of logs, and import of settings and models from the retired service.

In: files at a location, a loop. Out: a loop that has their history; files. Read ``importer.py`` and
``export.py`` first.
"""
