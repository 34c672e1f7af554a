"""ovrisisbench measures open-vocabulary segmentation models on overhead imagery.

The command line is ``ovrisis-bench``; everything it does is one Python call.
The names below are imported when they are first used, so that
``import ovrisisbench`` itself loads neither torch nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "PreparedDataset",
    "__version__",
    "confusion",
    "label_map",
    "leaderboard_table",
    "predict",
    "read_records",
    "run",
    "score",
]

_HOMES = {
    "PreparedDataset": "ovrisisbench.prepare",
    "confusion": "ovrisisbench.evaluate",
    "label_map": "ovrisisbench.evaluate",
    "leaderboard_table": "ovrisisbench.leaderboard",
    "predict": "ovrisisbench.prediction",
    "read_records": "ovrisisbench.records",
    "run": "ovrisisbench.benchmark",
    "score": "ovrisisbench.scoring",
}

if TYPE_CHECKING:
    from ovrisisbench.benchmark import run
    from ovrisisbench.evaluate import confusion, label_map
    from ovrisisbench.leaderboard import leaderboard_table
    from ovrisisbench.prediction import predict
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import read_records
    from ovrisisbench.scoring import score


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'ovrisisbench' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
