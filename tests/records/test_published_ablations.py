import json

import pytest
from pydantic import ValidationError

from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.catalog import load_protocol
from ovrisisbench.records import read_published
from ovrisisbench.records.published_ablations import PublishedAblation, read_published_ablations

FOUR = ("dlrsd", "isaid", "potsdam", "vaihingen")


def table(number):
    return next(found for found in read_published_ablations() if found.name == f"ovrisisbench-table{number}")


def figures(row):
    return (row.miou, row.fwiou, row.macc)


def test_tables_2_to_6_are_installed_with_all_their_rows():
    assert {found.name: len(found.rows) for found in read_published_ablations()} == {
        "ovrisisbench-table2": 14,
        "ovrisisbench-table3": 7,
        "ovrisisbench-table4": 3,
        "ovrisisbench-table5": 10,
        "ovrisisbench-table6": 4,
    }


@pytest.mark.parametrize("found", read_published_ablations(), ids=lambda found: found.name)
def test_every_table_names_a_source_a_model_of_ours_and_sets_of_the_protocol_it_claims(found):
    protocol = load_protocol(found.claims_protocol)
    assert set(found.test_sets) <= set(protocol.datasets)
    assert {row.train_set for row in found.rows} - {None} <= set(protocol.train_sets)
    assert find_adapter(found.model).info.trainer
    assert found.source.citation
    assert found.source.url.startswith("https://")


def test_averages_are_over_four_test_sets_but_by_the_caption_of_table_5_over_eight():
    by_number = {number: table(number).test_sets for number in range(2, 7)}
    assert by_number.pop(5) == load_protocol("ovrisisbench-v1").datasets
    assert set(by_number.values()) == {FOUR}


@pytest.mark.parametrize(
    ("number", "train_set", "switches", "printed"),
    [
        (2, "dlrsd", {}, (46.42, 51.51, 60.23)),
        (2, "dlrsd", {"rs_transfer": True}, (47.68, 52.92, 61.60)),
        (2, "dlrsd", {"rotation": True, "dino": True, "rs_transfer": True, "rs_fusion": True}, (48.94, 55.46, 64.12)),
        (2, "isaid", {"dino": True}, (37.59, 37.66, 58.42)),
        (2, "isaid", {"rotation": True, "dino": True, "rs_transfer": True}, (39.07, 40.31, 61.24)),
        (3, "dlrsd", {"natural_dino": True}, (46.46, 53.87, 62.19)),
        (3, "dlrsd", {"rotate": True, "rs_dino": True}, (49.47, 55.45, 62.81)),
        (3, "dlrsd", {"rotate": True, "natural_dino": True, "remote_clip": True}, (47.17, 54.11, 61.70)),
        (4, None, {"fusion": "cat"}, (48.74, 52.50, 66.24)),
        (5, "dlrsd", {"layers": 5}, (51.58, None, 65.41)),
        (5, "isaid", {"layers": 3}, (38.93, None, 62.47)),
        (6, "isaid", {"clip": "F", "dino": "A"}, (27.42, 29.31, 46.79)),
        (6, "isaid", {"clip": "A", "dino": "F"}, (39.07, 40.31, 61.24)),
    ],
)
def test_figures_are_those_in_print(number, train_set, switches, printed):
    assert figures(table(number).row(train_set, **switches)) == printed


def test_a_row_that_no_table_has_is_an_error():
    with pytest.raises(KeyError, match="table2 has no row dlrsd"):
        table(2).row("dlrsd", rs_fusion=True)


@pytest.mark.parametrize(("train_set", "layers"), [("dlrsd", 5), ("isaid", 3)])
def test_table_5_has_the_four_set_mean_of_table_1s_row_and_not_its_eight_set_mean(train_set, layers):
    table1 = next(found for found in read_published() if found.name == "ovrisisbench-table1")
    main = next(
        row for row in table1.rows if (row.model, row.backbone, row.train_set) == ("rskt-seg", "ViT-B", train_set)
    )
    row = table(5).row(train_set, layers=layers)
    for columns, printed in ((main.miou, row.miou), (main.macc, row.macc)):
        assert abs(sum(columns[key] for key in FOUR) / 4 - printed) < 0.0051
        assert abs(sum(columns.values()) / 8 - printed) > 1


def test_the_best_row_of_table_6_is_the_row_of_table_2_without_rs_fusion():
    assert figures(table(6).row("isaid", clip="A", dino="F")) == figures(
        table(2).row("isaid", rotation=True, dino=True, rs_transfer=True)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content["rows"][0]["switches"].pop("dino"), "dino stands in the row or in the columns"),
        (lambda content: content["rows"][0]["switches"].update(prompt=True), "prompt stands in the row"),
        (lambda content: content["rows"].append(content["rows"][0]), "stands in the table twice"),
        (lambda content: content["rows"][0].pop("fwiou"), "exactly where the table prints fwIoU"),
        (lambda content: content["rows"][0].update(macc=100.1), "less than or equal to 100"),
        (lambda content: content["columns"].clear(), "at least 1 item"),
    ],
)
def test_a_wrong_table_is_refused(change, words):
    content = json.loads(table(2).model_dump_json())
    change(content)
    with pytest.raises(ValidationError) as caught:
        PublishedAblation.model_validate(content)
    assert words in str(caught.value)
