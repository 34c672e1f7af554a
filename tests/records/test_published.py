import json

import pytest
from pydantic import ValidationError

from ovrisisbench.catalog import load_protocol
from ovrisisbench.records import PublishedTable, read_published


@pytest.fixture
def table1():
    return next(table for table in read_published() if table.name == "ovrisisbench-table1")


def row_of(table, title, backbone, train_set):
    found = [row for row in table.rows if (row.title, row.backbone, row.train_set) == (title, backbone, train_set)]
    assert len(found) == 1
    return found[0]


def test_both_sources_are_installed():
    assert [(table.name, len(table.rows)) for table in read_published()] == [
        ("ovrisisbench-table1", 28),
        ("rskt-seg-readme", 1),
    ]


def test_every_published_table_has_a_source_and_the_columns_of_the_protocol_it_claims():
    for table in read_published():
        assert table.datasets == load_protocol(table.claims_protocol).datasets
        assert table.source.citation
        assert table.source.url.startswith("https://")


def test_table_1_is_complete(table1):
    assert all(set(row.miou) == set(row.macc) == set(table1.datasets) for row in table1.rows)
    assert {row.train_set for row in table1.rows} == {"dlrsd", "isaid"}
    by_train_set = [[row.title for row in table1.rows if row.train_set == key] for key in ("dlrsd", "isaid")]
    assert by_train_set[0] == by_train_set[1]


@pytest.mark.parametrize(
    ("row", "dataset", "miou", "macc"),
    [
        (("RSKT-Seg", "ViT-B", "dlrsd"), "potsdam", 34.53, 50.71),
        (("RSKT-Seg", "ViT-L", "dlrsd"), "dlrsd", 93.49, 96.49),
        (("SCAN", "ViT-B", "dlrsd"), "vaihingen", 5.38, 22.54),
        (("SED", "ConvNeXt-B", "isaid"), "potsdam", 5.78, 17.52),
        (("Cat-Seg", "ViT-L", "dlrsd"), "uavid", 25.73, 40.54),
        (("GSNet", "ViT-L", "isaid"), "vdd", 32.07, 55.21),
        (("OVRIS", "ViT-L", "isaid"), "udd5", 31.88, 55.32),
        (("SAN", "ViT-B", "isaid"), "isaid", 85.43, 90.36),
    ],
)
def test_figures_are_those_in_print(table1, row, dataset, miou, macc):
    found = row_of(table1, *row)
    assert (found.miou[dataset], found.macc[dataset]) == (miou, macc)


def test_two_printed_means_of_table_1_differ_from_their_columns(table1):
    odd = []
    for row in table1.rows:
        for metric, columns, printed in (
            ("miou", row.miou, row.printed_mean_miou),
            ("macc", row.macc, row.printed_mean_macc),
        ):
            if abs(sum(columns.values()) / 8 - printed) > 0.0051:
                odd.append((row.title, row.backbone, row.train_set, metric, printed))
    assert odd == [("OVRIS", "ViT-B", "dlrsd", "macc", 54.51), ("GSNet", "ViT-L", "dlrsd", "miou", 44.56)]


def test_the_row_of_the_readme_is_another_source():
    readme = next(table for table in read_published() if table.name == "rskt-seg-readme")
    (row,) = readme.rows
    assert (row.miou["isaid"], row.macc["isaid"], row.printed_mean_miou) == (56.88, 74.48, 46.18)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content["rows"][0]["miou"].update(cityscapes=1.0), "cityscapes is not one of the table's"),
        (lambda content: content["rows"].append(content["rows"][0]), "stands in the table twice"),
        (lambda content: content["rows"][0]["macc"].update(dlrsd=100.1), "less than or equal to 100"),
        (lambda content: content.pop("source"), "Field required"),
    ],
)
def test_a_wrong_table_is_refused(table1, change, words):
    content = json.loads(table1.model_dump_json())
    change(content)
    with pytest.raises(ValidationError) as caught:
        PublishedTable.model_validate(content)
    assert words in str(caught.value)
