"""Every data-set card holds together, and a wrong one is refused by file and field."""

import json
from pathlib import Path

import pytest
import yaml

from ovrisisbench.catalog import (
    dataset_keys,
    load_card,
    load_cards,
    load_protocol,
    load_vocabulary,
    protocol_names,
    protocols_testing,
    vocabulary_names,
)
from ovrisisbench.catalog.cards import DatasetCard
from ovrisisbench.catalog.yaml_files import installed_files, load_yaml
from ovrisisbench.errors import CatalogError

EIGHT = ["dlrsd", "isaid", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd"]


def test_all_eight_data_sets_of_the_benchmark_have_a_card():
    assert set(dataset_keys()) >= set(EIGHT) == set(load_protocol().datasets)
    assert [card.key for card in load_cards()] == dataset_keys()


def test_the_protocols_that_test_a_data_set_are_known_and_may_be_none():
    for key in EIGHT:
        assert set(protocols_testing(key)) == {name for name in protocol_names() if key in load_protocol(name).datasets}
        assert "ovrisisbench-v1" in protocols_testing(key)
    assert protocols_testing("inria") == ()


@pytest.mark.parametrize("key", dataset_keys())
def test_the_default_label_map_names_every_class_of_its_vocabulary(key):
    card = load_card(key)
    variant = card.variant()
    names = load_vocabulary(variant.vocabulary).class_names
    indices = sorted(index for index in variant.labels.values() if index != "ignore")
    assert indices == list(range(len(names)))


@pytest.mark.parametrize("key", dataset_keys())
def test_colours_and_ids_of_a_card_are_unambiguous(key):
    card = load_card(key)
    labels = [*card.classes, *card.other_labels]
    ids = [label.original_id for label in labels if label.original_id is not None]
    assert len({label.colour for label in labels}) == len(labels)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("key", dataset_keys())
def test_every_published_digest_has_the_length_of_its_algorithm(key):
    card = load_card(key)
    for download in card.downloads:
        assert download.md5 is None or len(bytes.fromhex(download.md5)) == 16
    for variant in card.variants:
        assert all(len(bytes.fromhex(digest)) == 32 for digest in variant.name_digests.values())


def test_isaid_has_the_windows_and_counts_of_isaid_5i():
    variant = load_card("isaid").variant()
    assert (variant.windows.size, variant.windows.stride, variant.windows.last) == (256, 206, "clamped")
    assert variant.windows.keep_above * 256 * 256 == pytest.approx(6553.6)
    assert variant.counts == {"train": 18076, "val": 6363}
    assert variant.labels["ship"] == 0
    assert variant.labels["Harbor"] == 14
    assert variant.labels["unlabeled"] == "ignore"


def test_the_colours_of_isaid_are_red_green_blue_and_not_reversed():
    card = load_card("isaid")
    assert card.label("ship").colour == (0, 0, 63)
    assert card.label("Large_Vehicle").colour == (0, 127, 127)
    assert card.label("Harbor").colour == (0, 100, 155)


def test_no_data_of_loveda_is_scored_by_version_1_and_ignored_by_version_2():
    card = load_card("loveda")
    assert card.variant("v1-8-classes").labels["no-data"] == 0
    assert card.variant("v2-7-classes").labels["no-data"] == "ignore"


def test_uavid_follows_the_order_of_the_site_and_not_of_the_toolkit():
    names = load_vocabulary("uavid-v1").class_names
    assert names[3:] == ("Tree", "Low vegetation", "Moving car", "Static car", "Human")


def test_every_vocabulary_belongs_to_a_card():
    for name in vocabulary_names():
        assert load_vocabulary(name).dataset in dataset_keys()


def test_an_unknown_data_set_gets_a_suggestion():
    with pytest.raises(CatalogError, match="Did you mean 'isaid'"):
        load_card("isiad")


def test_an_unknown_variant_gets_the_known_ones():
    with pytest.raises(CatalogError, match="known are isaid5i-256"):
        load_card("isaid").variant("isaid-896")


def _changed(tmp_path: Path, change) -> Path:
    content = yaml.safe_load(installed_files("datasets")["isaid"].read_text())
    change(content)
    path = tmp_path / "isaid.yaml"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda card: card["classes"][0].update(colour=[0, 0, 300]), "classes.0.colour.2"),
        (lambda card: card["splits"][1].update(evidence="hearsay"), "splits.1.evidence"),
        (lambda card: card.pop("licence"), "licence"),
        (lambda card: card.update(nickname="i"), "nickname"),
        (lambda card: card.update(key="../isaid"), "key"),
        (lambda card: card.update(default_variant="none"), "default_variant"),
        (lambda card: card["variants"][0]["labels"].pop("ship"), "variants.isaid5i-256.labels"),
        (lambda card: card["downloads"][0].update(md5="abc"), "downloads.0.md5"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(tmp_path, change, named):
    path = _changed(tmp_path, change)
    with pytest.raises(CatalogError) as caught:
        load_yaml(path, DatasetCard)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_a_key_given_twice_is_refused(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text("key: a\nkey: b\n")
    with pytest.raises(CatalogError, match="'key' is given twice"):
        load_yaml(path, DatasetCard)


def test_what_is_not_yaml_is_refused_in_one_line(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text("key: [unclosed\n")
    with pytest.raises(CatalogError, match="not valid YAML") as caught:
        load_yaml(path, DatasetCard)
    assert "\n" not in str(caught.value)


def test_yaml_cannot_build_python_objects(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text("key: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(CatalogError, match="not valid YAML"):
        load_yaml(path, DatasetCard)
