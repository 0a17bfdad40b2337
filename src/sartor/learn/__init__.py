"""Learning: outcomes go in, in order; models come out.

Read ``trainer.py`` first (what is learned when, and how it survives a crash) and ``lineage.py`` (where training
starts), then ``vw.py`` (the engine) and ``policy.py`` (which learning settings are accepted; the table is in
``options.py``). ``model_file.py`` reads model files and adds checksums; ``model_import.py`` imports foreign
ones.
"""
