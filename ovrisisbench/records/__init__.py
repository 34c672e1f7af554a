"""The result of a run: what a record holds, how it is checked, read and written.

Importing this package imports numpy, but not torch.
"""

from ovrisisbench.records.cost_maps import CostMaps, cost_maps_path, read_cost_maps, write_cost_maps
from ovrisisbench.records.counts import CountsTable, read_counts, write_counts
from ovrisisbench.records.figures import MetricValues, metrics_of
from ovrisisbench.records.files import (
    RECORD_SUFFIX,
    label_maps_folder,
    read_record,
    read_record_counts,
    read_record_files,
    read_records,
    record_path,
    write_record,
)
from ovrisisbench.records.frame import to_frame
from ovrisisbench.records.image_scores import ImageScores, image_scores, worst_middle_best
from ovrisisbench.records.predictions import PredictionsUsed
from ovrisisbench.records.provenance import (
    command_words,
    package_versions,
    platform_words,
    python_version,
    surroundings,
    utc_now,
)
from ovrisisbench.records.published import PublishedRow, PublishedTable, Source, read_published
from ovrisisbench.records.schema import (
    FORMAT,
    CheckpointUsed,
    CountsFile,
    DatasetUsed,
    ImageTimes,
    ModelUsed,
    Parameters,
    ProtocolUsed,
    Record,
    Run,
    SeenInTraining,
    VocabularyUsed,
)

__all__ = [
    "FORMAT",
    "RECORD_SUFFIX",
    "CheckpointUsed",
    "CostMaps",
    "CountsFile",
    "CountsTable",
    "DatasetUsed",
    "ImageScores",
    "ImageTimes",
    "MetricValues",
    "ModelUsed",
    "Parameters",
    "PredictionsUsed",
    "ProtocolUsed",
    "PublishedRow",
    "PublishedTable",
    "Record",
    "Run",
    "SeenInTraining",
    "Source",
    "VocabularyUsed",
    "command_words",
    "cost_maps_path",
    "image_scores",
    "label_maps_folder",
    "metrics_of",
    "package_versions",
    "platform_words",
    "python_version",
    "read_cost_maps",
    "read_counts",
    "read_published",
    "read_record",
    "read_record_counts",
    "read_record_files",
    "read_records",
    "record_path",
    "surroundings",
    "to_frame",
    "utc_now",
    "worst_middle_best",
    "write_cost_maps",
    "write_counts",
    "write_record",
]
