"""The command line, ``sartor``: one noun a file.

In: words typed by people, ``SARTOR_*`` variables, signals. Out: text for people, or JSON with ``--json``.
Read ``app.py`` first: it lists the commands. Commands import what they need when they run, so that each starts
quickly.
"""
