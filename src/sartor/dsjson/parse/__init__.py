"""Parsing lines of joined logs, as any version of the retired service and this one wrote them.

In: one line (contract, sections 3.1 to 3.3). Out: an imported decision with its outcome, or the reason why the
line is rejected. Read ``lines.py`` first.
"""
