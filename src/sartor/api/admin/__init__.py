"""The administrative routes of the retired service: configuration, policy, models, logs, evaluations.

In: one authenticated request, on a thread. Out: a response. Read ``configuration.py`` first.
``threaded_app.py`` calls these handlers.
"""
