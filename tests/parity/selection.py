"""Which cases of the repository every test run has; imports nothing, so that a report's header can name them."""

from __future__ import annotations

__all__ = ["ALWAYS"]

ALWAYS = (
    "rskt_vitb_dlrsd",
    "rskt_vitb_original_aggregator",
    "catseg_vitb_dlrsd",
    "ovrs_vitb_dlrsd",
    "gsnet_vitb_dlrsd",
    "scan_vitb_dlrsd",
    "san_vitb_dlrsd",
    "sed_convnextb_dlrsd",
    "segearthov_vitb_potsdam",
)
