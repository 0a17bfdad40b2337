"""What an instance can prove about itself: the joined log, a past decision again, the health of a folder.

In: the stores of a loop. Out: lines, findings. Nothing is written. Read ``joined_log.py`` first.
"""
