"""From counts to conclusions: intervals, paired comparisons, ranks. Imports numpy, but not torch."""

from ovrisisbench.statistics.comparison import (
    Contest,
    Pair,
    Settings,
    compare_models,
    mean_contest,
    paired_comparison,
)
from ovrisisbench.statistics.competitors import RecordComparison, compare_records
from ovrisisbench.statistics.correction import holm
from ovrisisbench.statistics.differences import POWER, Difference
from ovrisisbench.statistics.figures import FIGURES, Figure
from ovrisisbench.statistics.intervals import LEVEL, MIN_SCENES, Interval, figure_intervals, mean_intervals
from ovrisisbench.statistics.resampling import RESAMPLES, SEED

__all__ = [
    "FIGURES",
    "LEVEL",
    "MIN_SCENES",
    "POWER",
    "RESAMPLES",
    "SEED",
    "Contest",
    "Difference",
    "Figure",
    "Interval",
    "Pair",
    "RecordComparison",
    "Settings",
    "compare_models",
    "compare_records",
    "figure_intervals",
    "holm",
    "mean_contest",
    "mean_intervals",
    "paired_comparison",
]
