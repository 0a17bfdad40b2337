"""The processes of one instance: what each does, and the supervisor that keeps them running.

In: a data folder and a listening socket. Out: nothing but what is in the folder and on the wire; the processes
meet in the store and never call one another. Read ``supervisor.py`` first, then ``api_process.py``,
``learn_process.py`` and ``work_process.py``.
"""
