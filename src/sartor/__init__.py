"""Sartor: a decision service that fits each answer to the one who asks.

Start reading at ``records`` (the facts), then ``ports`` (what a store must do), then the rooms in the
order in which data flows: ``explore``, ``log``, ``learn``, ``deploy``, ``evaluate``.
"""
