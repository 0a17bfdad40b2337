"""The joined-log line (dsjson), written and parsed, for one slot and for several.

In: a decision and its outcome, or a line that any version of the retired service wrote. Out: a line, or a
decision with its outcome. Read ``single_slot.py`` first, then ``parse/lines.py``.
"""
