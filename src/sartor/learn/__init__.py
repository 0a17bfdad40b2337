"""Learning: outcomes go in, in order; models come out.

Read first ``trainer.py`` (what is learned when, and how a crash is survived), then ``vw.py`` (the engine) and
``policy.py`` (which learning settings are accepted; the table is in ``options.py``).
"""
