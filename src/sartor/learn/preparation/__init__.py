"""Numbers prepared for Vowpal Wabbit: learning settings with ``--prepare``.

Vowpal Wabbit scales numbers and never centres them, and gives each one slope. Here a context goes in as it was
sent, and comes out with numbers as the second-order engine has them: standardised, with steps, whole values,
clock positions and presence as further features. ``prepared_context.py`` rewrites a context by a plan,
``prepared_engine.py`` plans, learns again when the plan changes, and asks Vowpal Wabbit; ``prepared_dump.py``
writes and reads the state of both.
"""
