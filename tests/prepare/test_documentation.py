"""``docs/prepared-data.md`` names every key that machines read."""

import re
from pathlib import Path

import pytest

from ovrisisbench.prepare import Manifest, PrepareReport, Sample
from ovrisisbench.prepare.layouts.readers import readable_datasets, readable_layouts
from ovrisisbench.prepare.report import SplitReport

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "prepared-data.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [Manifest, Sample, PrepareReport, SplitReport])
def test_every_key_is_explained(model):
    explained = set(re.findall(r"`(\w+)`", PAGE))
    assert set(model.model_fields) <= explained


def test_every_data_set_that_is_read_has_a_page_that_names_its_layouts():
    for dataset in readable_datasets():
        assert f"(datasets/{dataset}.md)" in PAGE
        page = (DOCS / "datasets" / f"{dataset}.md").read_text(encoding="utf-8")
        for layout in readable_layouts(dataset):
            assert f"**{layout}**" in page


def test_the_plain_hdf5_example_reads_the_first_sample(prepared, monkeypatch):
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "h5py" in block]
    names = {}
    exec(code.replace("data/isaid.h5", str(prepared.path)), names)
    assert (names["image"] == prepared.image(0)).all()
