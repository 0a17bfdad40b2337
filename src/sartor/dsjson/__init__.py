"""Writes and parses lines of the joined log (dsjson), for one slot and for several.

A decision and its outcome become a line; a line that any version of the retired service wrote becomes a
decision with its outcome. ``context_json.py`` writes what the engine reads. Start with ``single_slot.py``, then
``parse/lines.py``.
"""
