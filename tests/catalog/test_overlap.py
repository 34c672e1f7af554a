"""Class overlap: levels that names decide, judgements from one checked table, and the counts of all pairs."""

from pathlib import Path

import pytest
import yaml

from ovrisisbench.catalog import class_overlap, load_overlap_table, load_protocol, load_vocabulary
from ovrisisbench.catalog.overlap_table import string_level
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.errors import CatalogError

# trained on, tested on: exact, variant, near, unseen; counted by hand from the class lists.
COUNTS = {
    ("dlrsd", "dlrsd"): (17, 0, 0, 0),
    ("dlrsd", "isaid"): (1, 0, 7, 7),
    ("dlrsd", "loveda"): (1, 1, 4, 2),
    ("dlrsd", "potsdam"): (0, 3, 2, 1),
    ("dlrsd", "vaihingen"): (0, 3, 2, 1),
    ("dlrsd", "uavid"): (0, 2, 4, 2),
    ("dlrsd", "udd5"): (0, 1, 3, 1),
    ("dlrsd", "vdd"): (1, 0, 4, 2),
    ("isaid", "dlrsd"): (1, 0, 5, 11),
    ("isaid", "isaid"): (15, 0, 0, 0),
    ("isaid", "loveda"): (0, 0, 0, 8),
    ("isaid", "potsdam"): (0, 0, 1, 5),
    ("isaid", "vaihingen"): (0, 0, 1, 5),
    ("isaid", "uavid"): (0, 0, 2, 6),
    ("isaid", "udd5"): (0, 0, 1, 4),
    ("isaid", "vdd"): (0, 0, 1, 6),
}


def compared(train, test, table=None):
    return class_overlap(load_vocabulary(f"{train}-v1"), load_vocabulary(f"{test}-v1"), table)


def match(train, test, name):
    return next(found for found in compared(train, test).classes if found.name == name)


@pytest.mark.parametrize(("train", "test"), COUNTS)
def test_the_counts_of_every_pair_of_the_benchmark_come_out(train, test):
    overlap = compared(train, test)
    assert tuple(overlap.counts().values()) == COUNTS[train, test]
    assert overlap.is_judged
    assert [found.name for found in overlap.classes] == list(load_vocabulary(f"{test}-v1").class_names)


def test_every_pair_that_the_protocol_measures_is_judged():
    protocol = load_protocol()
    assert set(COUNTS) == {(train, test) for train in protocol.train_sets for test in protocol.datasets}


@pytest.mark.parametrize(
    ("first", "second", "level"),
    [
        ("Water", "water", "exact"),
        (" water ", "WATER", "exact"),
        ("Building", "buildings", "variant"),
        ("trees", "Tree", "variant"),
        ("storage tank", "storage tanks", "variant"),
        ("bus", "buses", "variant"),
        ("grass", "grasses", "variant"),
        ("branch", "branches", "variant"),
        ("city", "cities", "variant"),
        ("railway", "railways", "variant"),
        ("car", "Moving car", None),
        ("court", "tennis court", None),
        ("gras", "grass", None),
        ("ca", "car", None),
        ("storage tank", "storage_tank", None),
        ("tanks", "storage tank", None),
    ],
)
def test_only_the_same_word_and_its_regular_plural_are_alike_by_name(first, second, level):
    assert string_level(first, second) == level
    assert string_level(second, first) == level


def test_a_near_class_names_its_training_classes_and_the_relation():
    near = match("dlrsd", "udd5", "Vegetation")
    assert (near.level, near.classes, near.relation) == ("near", ("trees", "grass", "chaparral"), "broader")


def test_the_same_word_for_another_thing_is_unseen_and_said():
    field = match("isaid", "dlrsd", "field")
    assert (field.level, field.relation) == ("unseen", "same word, another thing")
    assert field.classes == ("ground track field", "soccer ball field")


def test_names_of_no_concept_are_counted_apart():
    overlap = compared("isaid", "loveda")
    assert [found.name for found in overlap.classes if not found.is_concept] == ["no-data", "Background"]
    assert overlap.counts()["unseen"] == 8
    assert overlap.counts(concepts_only=True)["unseen"] == 6


def test_names_of_no_concept_are_known_whatever_their_case():
    overlap = compared("dlrsd", "inria")
    assert [(found.name, found.is_concept) for found in overlap.classes] == [("background", False), ("building", True)]


def test_a_plural_is_seen_in_the_usual_count_and_not_in_the_strict_one():
    overlap = compared("dlrsd", "loveda")
    names = load_vocabulary("loveda-v1").class_names
    assert [name for name, seen in zip(names, overlap.seen(), strict=True) if seen] == ["Building", "Water"]
    assert [name for name, seen in zip(names, overlap.seen(strict=True), strict=True) if seen] == ["Water"]
    assert (overlap.seen_count(), overlap.seen_count(strict=True)) == (2, 1)


def test_a_pair_that_nobody_judged_says_so_and_has_nothing_near():
    overlap = class_overlap(load_vocabulary("vdd-v1"), load_vocabulary("loveda-v2"))
    assert not overlap.is_judged
    assert overlap.counts() == {"exact": 2, "variant": 0, "near": 0, "unseen": 5}


def test_a_vocabulary_beside_itself_needs_no_judgement():
    overlap = class_overlap(load_vocabulary("loveda-v2"), load_vocabulary("loveda-v2"))
    assert overlap.is_judged
    assert overlap.counts()["exact"] == 7


def _changed(tmp_path: Path, change) -> str:
    content = yaml.safe_load(installed_files("overlap")["ovrisisbench-v1"].read_text())
    change(content)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_a_table_of_ones_own_replaces_the_judgements_and_has_another_id(tmp_path):
    def change(table):
        table["name"] = "mine"
        table["no_concept"].remove("Other")
        del table["judgements"][0]["near"]["harbor"]

    table = load_overlap_table(_changed(tmp_path, change))
    overlap = compared("dlrsd", "isaid", table)
    assert overlap.counts() == {"exact": 1, "variant": 0, "near": 6, "unseen": 8}
    assert overlap.table == "mine"
    assert overlap.table_id == table.id != load_overlap_table().id
    assert all(found.is_concept for found in compared("dlrsd", "vdd", table).classes)


def test_words_that_explain_a_table_do_not_change_its_id(tmp_path):
    table = load_overlap_table(_changed(tmp_path, lambda table: table.update(title="another", name="other")))
    assert table.id == load_overlap_table().id


def test_a_vocabulary_given_by_its_path_is_found_by_its_name(tmp_path):
    path = tmp_path / "farm.yaml"
    names = ["cow", "buildings"]
    path.write_text(
        yaml.safe_dump({"name": "farm", "dataset": "farm", "source": "x", "evidence": "primary", "class_names": names})
    )
    judgement = {"train": "isaid-v1", "tests": [str(path)], "near": {"cow": {"classes": ["ship"], "relation": "no"}}}
    table = load_overlap_table(_changed(tmp_path, lambda table: table["judgements"].append(judgement)))
    overlap = class_overlap(load_vocabulary("isaid-v1"), load_vocabulary(str(path)), table)
    assert overlap.is_judged
    assert overlap.counts() == {"exact": 0, "variant": 0, "near": 1, "unseen": 1}


def _near(name, *classes):
    return lambda table: table["judgements"][0]["near"].update({name: {"classes": list(classes), "relation": "x"}})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_near("shop", "dock"), "field 'judgements.0.near.shop': vocabulary 'isaid-v1' has no class 'shop'. Did you"),
        (
            _near("bridge", "dok"),
            "judgements.0.near.bridge': vocabulary 'dlrsd-v1' has no class 'dok'. Did you mean 'd",
        ),
        (_near("ship", "sea"), "judgements.0.near.ship': 'ship' is exact by its name"),
        (_near("bridge"), "judgements.0.near.bridge.classes"),
        (
            lambda table: table["judgements"][2]["near"].update({"Tree": {"classes": ["grass"], "relation": "x"}}),
            "judgements.2.near.Tree': 'Tree' is variant by its name ('trees' in 'dlrsd-v1')",
        ),
        (
            lambda table: table["judgements"][0]["same_word"].update({"plane": ["field"]}),
            "judgements.0.same_word.plane': is judged to be near as well",
        ),
        (
            lambda table: table["judgements"][0]["same_word"].update({"bridge": ["fields"]}),
            "judgements.0.same_word.bridge': vocabulary 'dlrsd-v1' has no class 'fields'",
        ),
        (lambda table: table["judgements"][0].update(train="dlrsd"), "judgements.0.train': There is no vocabulary"),
        (lambda table: table["judgements"][0].update(tests=["isaid-v2"]), "judgements.0.tests': There is no vocab"),
        (lambda table: table["judgements"][0].update(tests=[]), "judgements.0.tests"),
        (lambda table: table["judgements"][1].update(tests=["isaid-v1"]), "judgements.1.tests: 'dlrsd-v1' and 'isaid"),
        (lambda table: table["no_concept"].append("other"), "no_concept.5': no vocabulary has a class 'other'. Did"),
        (lambda table: table["no_concept"].append("plane"), "no_concept.5': 'plane' cannot be near a training class"),
        (lambda table: table["judgements"][0].update(far={}), "judgements.0.far"),
        (lambda table: table.update(format=2), "format"),
    ],
)
def test_a_wrong_field_of_a_table_is_named_with_its_file(tmp_path, change, sentence):
    path = _changed(tmp_path, change)
    with pytest.raises(CatalogError) as caught:
        load_overlap_table(path)
    assert str(caught.value).startswith(path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_table_gets_the_known_ones():
    with pytest.raises(CatalogError, match="known are ovrisisbench-v1"):
        load_overlap_table("ovrisisbench-v9")
