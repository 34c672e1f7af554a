"""``ovrisis-bench vocabulary`` as a user meets it."""

import json

import pytest
import yaml
from click.testing import CliRunner

from ovrisisbench.catalog import load_vocabulary
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.cli import cli
from ovrisisbench.errors import CatalogError


def printed(*arguments):
    result = CliRunner().invoke(cli, ["vocabulary", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def lines(*arguments):
    return [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in printed(*arguments).splitlines() if "│" in line
    ]


def test_it_shows_index_name_publishers_name_id_and_colour():
    table = lines("isaid")
    assert table[1][:5] == ["1", "storage tank", "storage_tank", "2", "#003f3f"]
    assert table[15][:5] == ["ignored", "-", "unlabeled", "0", "#000000"]
    assert [row[1] for row in table[:15]] == list(load_vocabulary("isaid-v1").class_names)


def test_it_says_where_the_names_come_from_and_how_sure_they_are():
    output = printed("loveda", "--variant", "v2-7-classes")
    assert "Agriculture Land" in output
    assert "Names: inferred, not confirmed on a real download. The version 2 scripts" in output


def test_colours_are_painted_in_a_terminal():
    output = CliRunner(env={"FORCE_COLOR": "1", "COLORTERM": "truecolor", "TERM": "xterm-256color"}).invoke(
        cli, ["vocabulary", "dlrsd"], color=True
    )
    assert "48;2;166;202;240" in output.output


def test_the_vocabulary_as_json():
    content = json.loads(printed("loveda", "--variant", "v2-7-classes", "--json"))
    assert content["vocabulary"] == "loveda-v2"
    assert content["classes"][6] == {
        "index": 6,
        "name": "Agriculture Land",
        "publisher": [{"name": "agriculture", "original_id": 7, "colour": [255, 195, 128], "use": ""}],
    }
    assert [label["name"] for label in content["ignored"]] == ["no-data"]
    assert content["evidence"] == content["labels_evidence"] == "inference"


def test_against_shows_the_classes_of_the_first_as_seen_by_a_model_trained_on_the_second():
    output = printed("dlrsd", "--against", "isaid")
    assert "DLRSD for a model trained on iSAID" in output
    table = lines("dlrsd", "--against", "isaid")
    assert table[5] == ["5", "court", "near", "tennis court, basketball court", "broader"]
    assert table[7] == ["7", "field", "unseen", "ground track field, soccer ball field", "same word, another thing"]
    assert table[17] == ["all classes", "17", "1", "0", "5", "11", "1", "1"]
    assert "table ovrisisbench-v1 (id " in output
    assert "splits/overlap/ovrisisbench-v1.yaml" in output


def test_names_of_no_concept_are_marked_and_counted_apart():
    table = lines("loveda", "--against", "dlrsd")
    assert table[0][:3] == ["0", "no-data *", "unseen"]
    assert table[-2:] == [
        ["all classes", "8", "1", "1", "4", "2", "1", "2"],
        ["without *", "6", "1", "1", "4", "0", "1", "2"],
    ]
    assert "* is the name of no concept" in printed("loveda", "--against", "dlrsd")
    assert "no concept" not in printed("isaid", "--against", "dlrsd")


def test_a_pair_that_nobody_judged_is_said_plainly():
    output = printed("uavid", "--against", "vdd")
    assert "Nobody has judged uavid-v1 against vdd-v1" in output
    assert json.loads(printed("uavid", "--against", "vdd", "--json"))["table"]["judged"] is False
    assert "Nobody has judged" not in printed("uavid", "--against", "isaid")


def test_the_comparison_as_json():
    content = json.loads(printed("loveda", "--against", "dlrsd", "--json"))
    assert (content["dataset"], content["against"], content["variant"]) == ("loveda", "dlrsd", "v1-8-classes")
    assert (content["train"], content["test"]) == ("dlrsd-v1", "loveda-v1")
    assert content["table"]["file"] == "splits/overlap/ovrisisbench-v1.yaml"
    assert content["summary"] == {
        "classes": 8,
        "concepts": 6,
        "levels": {"exact": 1, "variant": 1, "near": 4, "unseen": 2},
        "levels_of_concepts": {"exact": 1, "variant": 1, "near": 4, "unseen": 0},
        "seen_strict": 1,
        "seen_usual": 2,
        "seen_concepts_strict": 1,
        "seen_concepts_usual": 2,
    }
    assert content["classes"][6] == {
        "index": 6,
        "name": "Forest",
        "level": "near",
        "training_classes": ["trees"],
        "relation": "collective",
        "is_concept": True,
    }


def test_a_table_of_ones_own_is_used_and_named(tmp_path):
    content = yaml.safe_load(installed_files("overlap")["ovrisisbench-v1"].read_text())
    content["name"] = "[bold]mine"
    content["judgements"] = [{"train": "isaid-v1", "tests": ["loveda-v1"]}]
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    judged = json.loads(printed("dlrsd", "--against", "isaid", "--table", str(path), "--json"))
    assert judged["summary"]["levels"]["near"] == 0
    assert judged["table"]["file"] == str(path)
    output = printed("loveda", "--against", "isaid", "--table", str(path))
    assert "table [bold]mine (id " in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["isiad"], "Did you mean 'isaid'"),
        (["isaid", "--against", "dlsrd"], "Did you mean 'dlrsd'"),
        (["isaid", "--variant", "v9"], "iSAID has no variant 'v9'"),
        (["isaid", "--against", "dlrsd", "--table", "absent.yaml"], "absent.yaml cannot be read"),
        (["isaid", "--against", "dlrsd", "--table", "absent"], "There is no overlap table 'absent'"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence):
    result = CliRunner().invoke(cli, ["vocabulary", *arguments])
    assert isinstance(result.exception, CatalogError)
    assert sentence in str(result.exception)


def test_a_table_without_anything_to_compare_is_a_mistake():
    result = CliRunner().invoke(cli, ["vocabulary", "isaid", "--table", "mine.yaml"])
    assert result.exit_code == 2
    assert "give --against as well" in result.output
