"""Predictions made elsewhere, to the same records as those of ``run``.

``folder`` finds one file for each image, ``reading`` decodes it, ``value_names`` says which value is which class,
``scoring`` counts and writes the record. No model and no torch are needed.
"""

from ovrisisbench.scoring.scoring import ScoreReport, score

__all__ = ["ScoreReport", "score"]
