"""A protocol's id changes with everything that can change a number, and with nothing else."""

import pytest
import yaml

from ovrisisbench.catalog import load_protocol, protocol_for_training_set, protocol_names
from ovrisisbench.catalog.identity import short_id
from ovrisisbench.catalog.protocols import Protocol
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.errors import CatalogError
from ovrisisbench.prepare.download.perceptual_hash import NEAR

COLUMNS = ("dlrsd", "isaid", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd")


def _content(name="ovrisisbench-v1"):
    return yaml.safe_load(installed_files("protocols")[name].read_text())


def test_all_protocols_test_the_eight_data_sets_in_the_order_of_table_1():
    assert protocol_names() == ["ovrisisbench-mini-v1", "ovrisisbench-v1", "ovrisisbench-v1-heldout"]
    for name in ("ovrisisbench-v1", "ovrisisbench-v1-heldout"):
        assert load_protocol(name).datasets == COLUMNS
    mini = load_protocol("ovrisisbench-mini-v1")
    assert mini.datasets == tuple(f"mini-{key}" for key in COLUMNS)
    assert [mini.vocabulary(key).name for key in mini.datasets] == [f"{key}-v1" for key in COLUMNS]
    assert not set(mini.datasets) & set(load_protocol().datasets)


def test_the_mini_protocol_tests_no_image_for_training():
    mini = load_protocol("ovrisisbench-mini-v1")
    for key in mini.train_sets:
        assert not mini.test_set(key).tests_split("train")
        assert mini.test_set(key).tests_split("val")
    assert load_protocol().test_set("dlrsd").tests_split("train")


@pytest.mark.parametrize(
    ("train_set", "protocol"),
    [
        (None, "ovrisisbench-v1"),
        ("dlrsd", "ovrisisbench-v1"),
        ("coco-stuff", "ovrisisbench-v1"),
        ("mini-dlrsd", "ovrisisbench-mini-v1"),
        ("mini-isaid", "ovrisisbench-mini-v1"),
        ("mini-vdd", "ovrisisbench-v1"),
    ],
)
def test_a_training_set_of_one_other_protocol_alone_means_that_protocol(train_set, protocol):
    assert protocol_for_training_set(train_set) == protocol


def test_the_two_protocols_have_different_ids():
    assert load_protocol("ovrisisbench-v1").id != load_protocol("ovrisisbench-v1-heldout").id


def test_the_published_ids_do_not_move_by_accident():
    # A changed id separates all earlier records from new ones: change it knowingly, and say so in the changelog.
    assert load_protocol("ovrisisbench-v1").id == "125d31fc"
    assert load_protocol("ovrisisbench-v1-heldout").id == "545ff852"


def test_words_that_explain_a_protocol_do_not_change_its_id():
    content = _content()
    content.update(title="another title", description="another text")
    assert Protocol.model_validate(content).id == load_protocol("ovrisisbench-v1").id


@pytest.mark.parametrize(
    "change",
    [
        {"metric_convention": "detectron2-0.6"},
        {"held_out": "seen in training", "near_duplicate_distance": 32},
        {"train_sets": ["dlrsd"]},
        {"test_sets": _content()["test_sets"][:7]},
        {
            "test_sets": [
                {**test, "variant": "grid-512"} if test["dataset"] == "potsdam" else test
                for test in _content()["test_sets"]
            ]
        },
    ],
)
def test_a_rule_that_can_change_a_number_changes_the_id(change):
    assert Protocol.model_validate({**_content(), **change}).id != load_protocol("ovrisisbench-v1").id


def test_how_near_a_copy_must_be_belongs_to_the_rules():
    content = _content("ovrisisbench-v1-heldout")
    assert Protocol.model_validate({**content, "near_duplicate_distance": 31}).id != load_protocol(content["name"]).id
    assert content["near_duplicate_distance"] == NEAR


@pytest.mark.parametrize(
    "change", [{"held_out": "nothing"}, {"near_duplicate_distance": None}, {"near_duplicate_distance": 65}]
)
def test_a_distance_without_its_rule_or_the_other_way_round_is_refused(tmp_path, change):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**_content("ovrisisbench-v1-heldout"), **change}))
    with pytest.raises(CatalogError, match="near_duplicate_distance"):
        load_protocol(str(path))


def test_the_training_set_is_taken_in_the_variant_that_is_tested(tmp_path):
    assert load_protocol().train_variant("dlrsd").name == "bundle-7002"
    assert load_protocol("ovrisisbench-v1+dlrsd:original-2100").train_variant("dlrsd").name == "original-2100"
    content = _content()
    content["test_sets"] = content["test_sets"][1:]
    assert Protocol.model_validate(content).train_variant("dlrsd").name == "bundle-7002"


def test_other_variants_make_a_protocol_of_their_own():
    plain, derived = load_protocol(), load_protocol("ovrisisbench-v1+potsdam:grid-512+loveda:v2-7-classes")
    assert derived.name == "ovrisisbench-v1+loveda:v2-7-classes+potsdam:grid-512", "in the order of the table"
    assert derived.id not in (plain.id, load_protocol("ovrisisbench-v1+potsdam:grid-512").id)
    assert derived.variant("potsdam").windows.size == 512
    assert derived.test_set("loveda").vocabulary == derived.variant("loveda").vocabulary == "loveda-v2"
    assert "potsdam:grid-512" in derived.title
    unchanged = [key for key in COLUMNS if key not in ("potsdam", "loveda")]
    assert [derived.test_set(key) for key in unchanged] == [plain.test_set(key) for key in unchanged]
    assert derived.held_out == plain.held_out
    assert load_protocol("ovrisisbench-v1-heldout+potsdam:grid-512").holds_out_seen


def test_the_order_of_variants_does_not_matter():
    one = load_protocol("ovrisisbench-v1+vaihingen:grid-512+potsdam:grid-512")
    assert one == load_protocol("ovrisisbench-v1+potsdam:grid-512+vaihingen:grid-512")


def test_the_variant_of_the_protocol_named_in_full_is_the_plain_protocol():
    assert load_protocol("ovrisisbench-v1+potsdam:grid-256") == load_protocol()
    derived = load_protocol("ovrisisbench-v1+potsdam:grid-256+vaihingen:grid-512")
    assert derived.name == "ovrisisbench-v1+vaihingen:grid-512"


def test_a_protocol_file_takes_variants_too(tmp_path):
    path = tmp_path / "a+b" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump({**_content(), "name": "mine"}))
    assert load_protocol(str(path)).name == "mine"
    assert load_protocol(f"{path}+potsdam:grid-512").name == "mine+potsdam:grid-512"
    assert load_protocol(f"{path}+potsdam:grid-512").id == load_protocol("ovrisisbench-v1+potsdam:grid-512").id


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ovrisisbench-v1+potsdm:grid-512", "does not test 'potsdm'.*Did you mean 'potsdam'"),
        ("ovrisisbench-v1+potsdam:grid-51", "no variant 'grid-51'.*Did you mean 'grid-512'"),
        ("ovrisisbench-v1+potsdam", "names no variant; write [+]DATASET:VARIANT"),
        ("ovrisisbench-v1+", "names no variant"),
        ("ovrisisbench-v1+:grid-512", "names no variant"),
        ("ovrisisbench-v1+potsdam:grid-512+potsdam:grid-256", "two variants of potsdam"),
        ("ovrisbench-v1+potsdam:grid-512", "Did you mean 'ovrisisbench-v1"),
    ],
)
def test_a_variant_that_cannot_be_had_is_one_sentence(name, sentence):
    with pytest.raises(CatalogError, match=sentence) as caught:
        load_protocol(name)
    assert "\n" not in str(caught.value)


def test_a_vocabulary_that_does_not_fit_the_variant_is_refused(tmp_path):
    content = _content()
    content["test_sets"][2]["vocabulary"] = "loveda-v2"
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CatalogError, match=r"test_sets\.loveda\.vocabulary"):
        load_protocol(str(path))


def test_a_data_set_listed_twice_is_refused(tmp_path):
    content = _content()
    content["test_sets"].append(content["test_sets"][0])
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(CatalogError, match="listed more than once"):
        load_protocol(str(path))


def test_an_unknown_protocol_or_data_set_gets_a_suggestion():
    with pytest.raises(CatalogError, match="Did you mean 'ovrisisbench-v1"):
        load_protocol("ovrisbench-v1")
    with pytest.raises(CatalogError, match="Did you mean 'isaid'"):
        load_protocol().test_set("isad")


def test_ids_do_not_depend_on_the_order_of_keys():
    assert short_id({"a": 1, "b": [1, 2]}) == short_id({"b": [1, 2], "a": 1})
    assert short_id([1, 2]) != short_id([2, 1])
