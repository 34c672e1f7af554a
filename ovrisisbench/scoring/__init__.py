"""Predictions made elsewhere, to the same records as those of ``run``.

``folder`` finds one file for each image, ``reading`` decodes it, ``value_names`` says which value is which class,
``counting`` counts,
``scoring`` is the whole, to the record. No model and no torch are needed.
"""

from ovrisisbench.scoring.report import ScoreReport
from ovrisisbench.scoring.scoring import score

__all__ = ["ScoreReport", "score"]
