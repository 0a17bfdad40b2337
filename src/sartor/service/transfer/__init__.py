"""What comes in and goes out: logs, settings and models from elsewhere, and the joined log in several formats.

In: files, a loop. Out: a loop that has their history; files. Read ``importing.py`` and ``formats.py`` first.
"""
