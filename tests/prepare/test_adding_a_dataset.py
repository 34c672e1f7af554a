"""``docs/adding-a-dataset.md`` is true: its files are those of the repository, and its code does what it says."""

import re
import sys
import types
from pathlib import Path

import pytest
import yaml

import tests.drawn
from ovrisisbench.benchmark import run
from ovrisisbench.catalog import class_overlap, load_overlap_table, load_protocol, load_vocabulary
from ovrisisbench.catalog.cards import Checkup, DatasetCard, Download, LabelClass, Layout, Split, Variant
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.prepare import prepare

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "adding-a-dataset.md").read_text(encoding="utf-8")
FIELDS = (DOCS / "datasets.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(?:yaml|python)\n# (\S+\.(?:yaml|py))\n(.*?)```", PAGE, re.DOTALL))
"""The name of a file in the first line -> the rest of the block."""


@pytest.fixture
def drawn(monkeypatch):
    """The drawn download of the page in the place of that of the repository."""
    module = types.ModuleType("tests.drawn.inria")
    exec(BLOCKS["tests/drawn/inria.py"], module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(tests.drawn, "inria", module, raising=False)
    return module


def test_the_vocabulary_is_that_of_the_repository():
    assert BLOCKS["splits/vocabularies/inria-v1.yaml"] == installed_files("vocabularies")["inria-v1"].read_text()


def test_the_card_is_whole_and_a_part_of_that_of_the_repository():
    content = yaml.safe_load(BLOCKS["splits/datasets/inria.yaml"])
    DatasetCard.model_validate(content)
    shipped = yaml.safe_load(installed_files("datasets")["inria"].read_text())
    for field in ("layouts", "variants"):
        assert all(part in _without_layouts(shipped[field]) for part in content.pop(field))
    assert content.pop("default_variant") == "whole"
    assert {field: shipped[field] for field in content} == content


def _without_layouts(parts):
    # The page has one layout alone, to which no variant has to be bound.
    return [{key: value for key, value in part.items() if key != "layouts"} for part in parts]


def test_a_card_without_any_of_its_fields_is_none():
    content = yaml.safe_load(BLOCKS["splits/datasets/inria.yaml"])
    for field in content:
        with pytest.raises(ValueError, match=field):
            DatasetCard.model_validate({key: value for key, value in content.items() if key != field})


def test_the_download_of_the_page_is_prepared_as_its_test_says(drawn, tmp_path):
    names: dict[str, object] = {}
    exec(BLOCKS["tests/prepare/test_inria.py"], names)
    for draw in (drawn.draw_publisher_folders, drawn.draw_publisher_zips):
        names["test_every_form_gives_the_drawn_pixels_and_labels_without_a_warning"](tmp_path / draw.__name__, draw)


@pytest.mark.parametrize("variant", ["whole", "grid-1000"])
def test_the_protocol_of_the_page_measures(drawn, tmp_path, variant):
    path = tmp_path / "buildings.yaml"
    path.write_text(BLOCKS["buildings.yaml"])
    name = str(path) if variant == "whole" else f"{path}+inria:{variant}"
    download = drawn.draw_publisher_folders(tmp_path / "download")
    prepare("inria", download, tmp_path, variant=variant, workers=1, card=drawn.drawn_card())
    (record,) = run("most-frequent", data=tmp_path, results=tmp_path / "results", protocol=name, device="cpu")
    assert (record.dataset.variant, record.protocol.id) == (variant, load_protocol(name).id)
    assert record.protocol.id != load_protocol().id


def test_the_overlap_table_of_the_page_judges_both_pairs(tmp_path):
    (tmp_path / "overlap.yaml").write_text(BLOCKS["overlap.yaml"])
    table = load_overlap_table(str(tmp_path / "overlap.yaml"))
    test = load_vocabulary("inria-v1")
    for train, level in (("isaid-v1", "unseen"), ("dlrsd-v1", "variant")):
        compared = class_overlap(load_vocabulary(train), test, table)
        assert compared.is_judged
        assert [match.level for match in compared.classes] == ["unseen", level]
        assert [match.is_concept for match in compared.classes] == [False, True]


def test_the_patterns_in_the_table_pair_the_files_beside_them():
    rows = re.findall(r"^\| `(\S+)`, `(\S+)` \| `(\S+)` \| `(\S+)` \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for image, mask, images, masks in rows:
        found = [
            re.search(rf"(?:^|/)(?:{pattern})$", path.rpartition(".")[0])
            for path, pattern in ((image, images), (mask, masks))
        ]
        assert all(found), image
        assert found[0].groups() == found[1].groups()


@pytest.mark.parametrize("model", [DatasetCard, Layout, Variant, Checkup, Split, LabelClass, Download])
def test_every_field_of_a_card_is_on_one_of_the_two_pages(model):
    words = set(re.findall(r"\w+", PAGE + FIELDS))
    assert set(model.model_fields) <= words
