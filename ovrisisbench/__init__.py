"""ovrisisbench measures open-vocabulary segmentation models on overhead imagery.

The command line is ``ovrisis-bench``; everything it does is one Python call of
the same name, see ``docs/python.md``. The names below are imported when they
are first used, so that ``import ovrisisbench`` itself loads neither torch nor numpy.
"""

from typing import TYPE_CHECKING, Any

from ovrisisbench.lazy import lazy_object, make_lazy

__version__ = "0.1.0"

__all__ = [
    "AblateOptions",
    "DatasetCard",
    "Leaderboard",
    "OvrisisBenchError",
    "PreparedDataset",
    "Record",
    "TrainOptions",
    "__version__",
    "ablate",
    "audit",
    "check_adapter",
    "check_record",
    "checkpoint",
    "compare",
    "conformance",
    "confusion",
    "convert",
    "datasets",
    "demo",
    "duplicates",
    "explain",
    "inspect",
    "label_map",
    "leaderboard",
    "leaderboard_table",
    "load_card",
    "load_protocol",
    "mini",
    "models",
    "predict",
    "prepare",
    "prepare_all",
    "read_published",
    "read_record",
    "read_record_counts",
    "read_records",
    "records",
    "report",
    "run",
    "score",
    "speed",
    "to_frame",
    "train",
    "verify",
    "vocabulary",
]

_HOMES = {
    "AblateOptions": "ovrisisbench.benchmark.ablation_plan:AblateOptions",
    "DatasetCard": "ovrisisbench.catalog:DatasetCard",
    "Leaderboard": "ovrisisbench.leaderboard:Leaderboard",
    "OvrisisBenchError": "ovrisisbench.errors:OvrisisBenchError",
    "PreparedDataset": "ovrisisbench.prepare:PreparedDataset",
    "Record": "ovrisisbench.records:Record",
    "TrainOptions": "ovrisisbench.benchmark.training:TrainOptions",
    "ablate": "ovrisisbench.benchmark.ablations:ablate",
    "audit": "ovrisisbench.api.tables:audit",
    "check_adapter": "ovrisisbench.api.models:check_adapter",
    "check_record": "ovrisisbench.api.records:check_record",
    "checkpoint": "ovrisisbench.adapter.examination:examine_checkpoint",
    "compare": "ovrisisbench.api.pairs:compare",
    "conformance": "ovrisisbench.api.tables:conformance",
    "confusion": "ovrisisbench.evaluate:confusion",
    "convert": "ovrisisbench.adapter.conversion:convert",
    "datasets": "ovrisisbench.catalog:load_cards",
    "demo": "ovrisisbench.api.data:demo",
    "duplicates": "ovrisisbench.api.data:duplicates",
    "explain": "ovrisisbench.api.pairs:explain",
    "inspect": "ovrisisbench.api.data:inspect",
    "label_map": "ovrisisbench.evaluate:label_map",
    "leaderboard": "ovrisisbench.api.tables:leaderboard",
    "leaderboard_table": "ovrisisbench.leaderboard:leaderboard_table",
    "load_card": "ovrisisbench.catalog:load_card",
    "load_protocol": "ovrisisbench.catalog:load_protocol",
    "mini": "ovrisisbench.api.data:mini",
    "models": "ovrisisbench.api.models:models",
    "predict": "ovrisisbench.prediction:predict",
    "prepare": "ovrisisbench.prepare.preparation:prepare",
    "prepare_all": "ovrisisbench.prepare.everything:prepare_all",
    "read_published": "ovrisisbench.records:read_published",
    "read_record": "ovrisisbench.records:read_record",
    "read_record_counts": "ovrisisbench.records:read_record_counts",
    "read_records": "ovrisisbench.records:read_records",
    "records": "ovrisisbench.api.records:records",
    "report": "ovrisisbench.api.tables:report",
    "run": "ovrisisbench.benchmark:run",
    "score": "ovrisisbench.scoring:score",
    "speed": "ovrisisbench.api.tables:speed",
    "to_frame": "ovrisisbench.records:to_frame",
    "train": "ovrisisbench.benchmark.training:train",
    "verify": "ovrisisbench.prepare:verify",
    "vocabulary": "ovrisisbench.api.data:vocabulary",
}

if TYPE_CHECKING:
    from ovrisisbench.adapter.conversion import convert
    from ovrisisbench.adapter.examination import examine_checkpoint as checkpoint
    from ovrisisbench.api.data import demo, duplicates, inspect, mini, vocabulary
    from ovrisisbench.api.models import check_adapter, models
    from ovrisisbench.api.pairs import compare, explain
    from ovrisisbench.api.records import check_record, records
    from ovrisisbench.api.tables import audit, conformance, leaderboard, report, speed
    from ovrisisbench.benchmark import run
    from ovrisisbench.benchmark.ablation_plan import AblateOptions
    from ovrisisbench.benchmark.ablations import ablate
    from ovrisisbench.benchmark.training import TrainOptions, train
    from ovrisisbench.catalog import DatasetCard, load_card, load_protocol
    from ovrisisbench.catalog import load_cards as datasets
    from ovrisisbench.errors import OvrisisBenchError
    from ovrisisbench.evaluate import confusion, label_map
    from ovrisisbench.leaderboard import Leaderboard, leaderboard_table
    from ovrisisbench.prediction import predict
    from ovrisisbench.prepare import PreparedDataset, verify
    from ovrisisbench.prepare.everything import prepare_all
    from ovrisisbench.prepare.preparation import prepare
    from ovrisisbench.records import Record, read_published, read_record, read_record_counts, read_records, to_frame
    from ovrisisbench.scoring import score

make_lazy(__name__, _HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    return lazy_object(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
