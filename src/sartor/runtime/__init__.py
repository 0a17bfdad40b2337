"""What every process of an instance needs: its stores and engine, the instance lock, log lines, shutdown.

In: where the data is. Out: stores and engines of the kind that was asked for. Read ``compose.py`` first.
"""
