"""The command line, ``sartor``.

In: words typed by people, ``SARTOR_*`` variables, signals. Out: text for people, or JSON with ``--json``.
Read ``app.py`` first: it lists the commands and their files. ``options.py`` has the flags that several commands
share, ``formatting.py`` prints results. Commands import what they need when they run, so that each starts
quickly.
"""
