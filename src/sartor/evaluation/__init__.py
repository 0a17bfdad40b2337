"""Offline evaluation: what other policies would have earned on a loop's log, and what each feature is worth.

In: a loop's stores and the specification of a job. Out: its result, a report, the models of the evaluated
policies. Estimates come from ``sartor.estimators``; here the log is replayed, predicted and learned.

* ``jobs``: create, find and delete jobs, apply a policy; ``spec``: what jobs store.
* ``run``: an evaluation from spec to result; ``batch``: policies scored in one pass;
  ``progressive_validation``: that pass, with ``row_predictions`` and ``column_buffer``. Read this one first.
* ``feature_importance``, by ``ablation``.
* ``time_range``: what is read; ``tasks``, ``executor`` and ``progress``: other processes.
* ``result`` and ``report``: what comes out; ``html``: the report's page.
"""
