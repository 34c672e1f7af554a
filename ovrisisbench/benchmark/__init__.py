"""A whole run: one model on the test sets of one protocol, to records on disk.

``inputs`` checks what was asked, ``running`` drives the model over the data sets,
``recording`` turns what was counted into records.
"""

from ovrisisbench.benchmark.inputs import Loading, load_options
from ovrisisbench.benchmark.running import RunReport, run

__all__ = ["Loading", "RunReport", "load_options", "run"]
