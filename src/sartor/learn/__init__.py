"""Learning: outcomes go in, in order; models come out.

Read ``trainer.py`` first (what is learned when, and how it survives a crash) and ``lineage.py`` (where training
starts), then ``engines.py`` with its engines (``vw.py``, ``preparation/`` before it, and ``second_order/``)
and ``policy.py`` (which learning settings are accepted; the table of Vowpal Wabbit's is in ``options.py``).
``dumps.py`` says what is exported of each engine, and whether a loop can go on from it; ``model_file.py`` reads
the files of Vowpal Wabbit; ``model_import.py`` imports foreign models.
"""
