"""From counts to conclusions: intervals, paired comparisons, ranks. Imports numpy, but not torch."""

from ovrisisbench.statistics.figures import FIGURES, Figure
from ovrisisbench.statistics.intervals import LEVEL, MIN_SCENES, Interval, figure_intervals, mean_intervals
from ovrisisbench.statistics.resampling import RESAMPLES, SEED

__all__ = [
    "FIGURES",
    "LEVEL",
    "MIN_SCENES",
    "RESAMPLES",
    "SEED",
    "Figure",
    "Interval",
    "figure_intervals",
    "mean_intervals",
]
