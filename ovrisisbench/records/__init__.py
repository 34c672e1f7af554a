"""The result of a run: what a record holds, how it is checked, read and written.

Importing this package imports numpy, but not torch.
"""

from ovrisisbench.records.counts import CountsTable, read_counts, write_counts
from ovrisisbench.records.figures import MetricValues, metrics_of
from ovrisisbench.records.files import (
    RECORD_SUFFIX,
    read_record,
    read_record_counts,
    read_record_files,
    read_records,
    record_path,
    write_record,
)
from ovrisisbench.records.frame import to_frame
from ovrisisbench.records.predictions import PredictionsUsed
from ovrisisbench.records.provenance import (
    command_words,
    package_versions,
    platform_words,
    python_version,
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
    "CountsFile",
    "CountsTable",
    "DatasetUsed",
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
    "metrics_of",
    "package_versions",
    "platform_words",
    "python_version",
    "read_counts",
    "read_published",
    "read_record",
    "read_record_counts",
    "read_record_files",
    "read_records",
    "record_path",
    "to_frame",
    "utc_now",
    "write_counts",
    "write_record",
]
