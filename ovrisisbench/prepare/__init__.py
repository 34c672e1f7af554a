"""From a download to a prepared data set: layouts -> label maps -> one HDF5 file with a manifest.

The names below are imported when they are first used: asking which data sets
can be read loads neither numpy nor h5py.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "Duplicates",
    "Manifest",
    "PrepareReport",
    "PreparedDataset",
    "Sample",
    "VerifyReport",
    "find_duplicates",
    "prepare",
    "prepared_path",
    "readable_datasets",
    "readable_layouts",
    "rules_digest",
    "verify",
    "write_contact_sheet",
]

_HOMES = {
    "Duplicates": "duplicates.search",
    "Manifest": "storage.manifest",
    "PrepareReport": "report",
    "PreparedDataset": "storage.prepared",
    "Sample": "storage.manifest",
    "VerifyReport": "storage.verifying",
    "find_duplicates": "duplicates.search",
    "prepare": "preparation",
    "prepared_path": "layouts.readers",
    "readable_datasets": "layouts.readers",
    "readable_layouts": "layouts.readers",
    "rules_digest": "storage.manifest",
    "verify": "storage.verifying",
    "write_contact_sheet": "contact_sheet.page",
}

if TYPE_CHECKING:
    from ovrisisbench.prepare.contact_sheet.page import write_contact_sheet
    from ovrisisbench.prepare.duplicates.search import Duplicates, find_duplicates
    from ovrisisbench.prepare.layouts.readers import prepared_path, readable_datasets, readable_layouts
    from ovrisisbench.prepare.preparation import prepare
    from ovrisisbench.prepare.report import PrepareReport
    from ovrisisbench.prepare.storage.manifest import Manifest, Sample, rules_digest
    from ovrisisbench.prepare.storage.prepared import PreparedDataset
    from ovrisisbench.prepare.storage.verifying import VerifyReport, verify


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'ovrisisbench.prepare' has no attribute '{name}'")
    return getattr(import_module(f"ovrisisbench.prepare.{_HOMES[name]}"), name)
