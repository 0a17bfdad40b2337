"""How well Sartor decides beside other libraries: worlds, learners, one command, and the page that it writes.

In: an installed Sartor; the public tables and the other libraries are fetched into an environment of their own.
Read ``catalogue.py`` first (which worlds there are, which are for choosing and which for reporting), then
``play.py``.
"""
