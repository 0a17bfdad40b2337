"""What would have happened: evaluations and feature importances as jobs.

In: a loop's stores and the spec of a job. Out: its result, a report, the models of the evaluated policies. The
numbers come from ``sartor.evaluate``; here is the loop that predicts, scores and learns. Read ``contest.py``
first.
"""
