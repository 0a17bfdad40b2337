"""Lines of joined logs, as any version of the retired service and this one wrote them, read back.

In: one line (contract, sections 3.1 to 3.3). Out: an imported decision with its outcome, or why there is none.
Read ``lines.py`` first.
"""
