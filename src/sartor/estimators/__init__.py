"""Statistics over columns of settled decisions: estimates of a policy's value, intervals, diagnostics.

In: columns (``columns.Columns``: reward, propensity, the policy's probability of the chosen action, and what
some estimators need besides). Out: estimates with intervals, diagnostics, and a verdict on whether this log can
answer at all. Pure: no clock, no randomness, no I/O.

Read ``columns`` first, then ``accumulator`` (what every estimator is), ``ips`` (the two that need no reward
model), ``estimator_set`` (all of them at once) and ``support`` (when to refuse).
``docs/reference/estimators.md`` says which one to use when.
"""
