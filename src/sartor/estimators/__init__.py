"""Statistics over columns of settled decisions: estimates of a policy's value, intervals, diagnostics.

In: columns (``columns.Columns``: reward, propensity, the policy's probability of the chosen action, and what
some estimators need besides). Out: estimates with intervals, diagnostics, and a verdict on whether this log can
answer at all. Pure: no clock, no randomness, no I/O.

* ``columns``: the input; ``accumulator``: the base class of every estimator. Read these two first.
* Values: ``ips`` (IPS, SNIPS, gain), ``doubly_robust`` (DM, DR, SWITCH-DR, DRos), ``cressie_read``.
* Intervals: ``interval`` (Gaussian), ``finite_sample`` (Clopper-Pearson, empirical Bernstein), ``anytime``.
* All at once: ``estimator_set``; over time: ``time_series``.
* When to refuse: ``diagnostics``, ``support``, ``calibration``.
* An evaluation's table and verdict: ``results_table``, ``verdict``; effects of features: ``leave_one_out``.
* A loop's scorecard: ``scorecard``, ``reference_policies``, ``policy_estimate``, ``scorecard_view``;
  ``logged_choices`` makes rows of settled decisions.

``docs/reference/estimators.md`` says which one to use when.
"""
