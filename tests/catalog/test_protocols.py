"""A protocol's id changes with everything that can change a number, and with nothing else."""

import pytest
import yaml

from ovrisisbench.catalog import load_protocol, protocol_names
from ovrisisbench.catalog.identity import short_id
from ovrisisbench.catalog.protocols import Protocol
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.errors import CatalogError

COLUMNS = ("dlrsd", "isaid", "loveda", "potsdam", "uavid", "udd5", "vaihingen", "vdd")


def _content(name="ovrisisbench-v1"):
    return yaml.safe_load(installed_files("protocols")[name].read_text())


def test_both_protocols_test_the_eight_data_sets_in_the_order_of_table_1():
    assert protocol_names() == ["ovrisisbench-v1", "ovrisisbench-v1-heldout"]
    for name in protocol_names():
        assert load_protocol(name).datasets == COLUMNS


def test_the_two_protocols_have_different_ids():
    assert load_protocol("ovrisisbench-v1").id != load_protocol("ovrisisbench-v1-heldout").id


def test_the_published_ids_do_not_move_by_accident():
    # A changed id separates all earlier records from new ones: change it knowingly, and say so in the changelog.
    assert load_protocol("ovrisisbench-v1").id == "125d31fc"
    assert load_protocol("ovrisisbench-v1-heldout").id == "040044c1"


def test_words_that_explain_a_protocol_do_not_change_its_id():
    content = _content()
    content.update(title="another title", description="another text")
    assert Protocol.model_validate(content).id == load_protocol("ovrisisbench-v1").id


@pytest.mark.parametrize(
    "change",
    [
        {"metric_convention": "detectron2-0.6"},
        {"held_out": "training split"},
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


def test_only_the_training_set_loses_its_training_split_when_held_out():
    protocol = load_protocol("ovrisisbench-v1-heldout")
    assert protocol.held_out_splits("isaid", "isaid") == {"train"}
    assert protocol.held_out_splits("isaid", "dlrsd") == set()
    assert protocol.held_out_splits("isaid", None) == set()
    assert load_protocol("ovrisisbench-v1").held_out_splits("isaid", "isaid") == set()


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
