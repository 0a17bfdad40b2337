"""Offline evaluation: what other policies would have earned on a loop's log, and what each feature is worth.

In: a loop's stores and the specification of a job. Out: its result, a report, the models of the evaluated
policies. Estimates come from ``sartor.estimators``; here the log is replayed, predicted and learned. Read
``progressive_validation.py`` first.
"""
