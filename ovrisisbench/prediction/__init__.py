"""A model on a picture of one's own: any size, any classes, to a label map that lies where the picture lies.

``scenes`` reads rows of a picture, ``windows`` says where it is cut, ``blending`` joins the scores of windows,
``writing`` and ``overlay`` write what comes out, ``areas`` sums it up; ``predicting`` is the whole.
"""

from ovrisisbench.prediction.predicting import PredictReport, predict
from ovrisisbench.prediction.result import ClassArea, PredictedScene

__all__ = ["ClassArea", "PredictReport", "PredictedScene", "predict"]
