"""The training recipe of the official codes, for every model that offers a trainer.

:func:`ovrisisbench.benchmark.training.train` is the whole way from prepared data to a file of weights; the modules here
are its parts.
"""
