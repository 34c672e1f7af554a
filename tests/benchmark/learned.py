"""A quick model that counts as trained, so that a run asks what its training has seen."""

from ovrisisbench.adapter import AdapterInfo
from tests.adapter.drawn_adapters import Brightness


class Learned(Brightness):
    info = AdapterInfo(
        name="learned",
        title="Learned",
        summary="For tests.",
        adapter="unused:unused",
        backbones={"none": "no network"},
        kind="trained",
    )
