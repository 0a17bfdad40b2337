"""An engine of second-order regressors, weighted by how well they predict, with inverse gap weighting.

Read ``engine.py`` first, then in the order of the data: ``reading.py`` (features as numbers and tokens),
``plan_columns.py`` and ``columns.py`` (both as a vector), ``ridge.py`` and ``regressors.py`` (what
is learned), ``aggregate.py`` (how the regressors are weighted), ``scorer.py`` (one linear score per action) and
``inverse_gap.py`` (probabilities). ``state.py`` writes and reads all of it, in the frame of ``dump_header.py``
and after the checks of ``stored_state.py``; ``arguments.py`` has the grammar of the learning settings.
Equations, figures and dead ends: ``docs/design/second-order.md``.

Sums are computed by ``numpy.einsum`` and never by a BLAS library: its sums are in the same order on every
processor, so that the same outcomes give the same model.
"""
