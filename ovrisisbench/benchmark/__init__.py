"""A whole run: one model on the test sets of one protocol, to records on disk.

``known_weights`` completes what was asked, ``inputs`` checks it, ``running`` drives the model over the data sets,
``recording`` turns what was counted into records.
"""

from ovrisisbench.benchmark.inputs import Loading, load_options
from ovrisisbench.benchmark.known_weights import Informed, informed
from ovrisisbench.benchmark.running import RunReport, run

__all__ = ["Informed", "Loading", "RunReport", "informed", "load_options", "run"]
