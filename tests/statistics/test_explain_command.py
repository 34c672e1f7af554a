import json
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.errors import RecordError
from ovrisisbench.records import read_published
from ovrisisbench.statistics import FIGURES
from ovrisisbench.statistics.explanation import explain_records
from ovrisisbench.statistics.published_gap import explain_published, find_published
from tests.records.examples import a_model
from tests.statistics.drawn_counts import drawn_confusions, drawn_table, table_of
from tests.statistics.drawn_records import better_model, drawn_record, written

PARTS = ("as recorded", "same convention", "same images", "same classes")


def invoke(*arguments):
    return CliRunner().invoke(cli, ["explain", *map(str, arguments)])


def without_truth():
    """Counts whose last class has no truth but is predicted."""
    confusions = drawn_confusions(20, 4)
    confusions[:, 3] = 0
    return table_of(confusions)


def changing(explanation):
    return [(field.part, field.field) for field in explanation.fields if field.changes_a_number]


def parts_of(explanation, figure="miou"):
    gaps = [step.gap(figure) for step in explanation.steps]
    return [one - two for one, two in pairwise(gaps)], gaps[-1]


def test_where_only_the_convention_differs_it_explains_the_whole_gap():
    table = without_truth()
    explanation = explain_records(drawn_record(table=table), drawn_record(table=table, convention="detectron2-0.6"))
    assert changing(explanation) == [("convention", "metrics.convention")]
    (convention, images, classes), rest = parts_of(explanation)
    assert convention == pytest.approx(explanation.steps[0].gap("miou"))
    assert convention > 0.01
    assert (images, classes, rest) == (0, 0, 0)
    assert explanation.conclusion == "Both have the same pixel counts: only the convention makes their figures differ."
    assert explanation.by_convention["detectron2"][0] == explanation.by_convention["detectron2"][1]


def test_where_only_the_images_differ_they_explain_the_whole_gap():
    confusions = drawn_confusions(30, 4)
    some = table_of(confusions[:20])
    limited = {"images_total": 30, "limited": True}
    explanation = explain_records(
        drawn_record(table=table_of(confusions)), drawn_record(table=some, data={**limited, "images": 20})
    )
    assert ("images", "dataset.images") in changing(explanation)
    (convention, images, classes), rest = parts_of(explanation)
    assert (convention, classes, rest) == (0, 0, 0)
    assert images == explanation.steps[0].gap("miou") != 0
    assert explanation.steps[2].words == "20 images are in both, of 30 and 20"
    assert explanation.rest["miou"].ties == 1


def test_where_classes_differ_the_common_ones_are_compared_by_name():
    confusions = drawn_confusions(30, 4)
    merged = np.delete(np.delete(confusions, 3, axis=2), 3, axis=1)
    explanation = explain_records(
        drawn_record(table=table_of(confusions)),
        drawn_record(table=table_of(merged), class_names=("road", "water", "tree")),
    )
    last = explanation.steps[-1]
    assert last.words == "3 classes are averaged over in both, of 4 and 3"
    assert last.classes == ([0, 1, 2], [0, 1, 2])
    assert last.a["macc"] == pytest.approx(
        np.mean([confusions[:, k, k].sum() / confusions[:, k].sum() for k in range(3)])
    )
    assert explanation.rest == {}
    assert "labels of the images differ" in explanation.rest_problem


def test_other_prompts_for_the_same_labels_are_compared_by_place():
    explanation = explain_records(
        drawn_record(seed=1), drawn_record(seed=2, class_names=("street", "river", "wood", "vehicle"))
    )
    assert changing(explanation) == [("vocabulary", "vocabulary.class_names")]
    assert explanation.steps[-1].words == "the same in both"
    assert explanation.conclusion == "What the counting does not explain is due to: vocabulary."


def test_where_the_model_differs_all_of_the_gap_is_the_rest_and_has_an_interval():
    explanation = explain_records(drawn_record(quality=0.5), drawn_record(quality=0.8, model=better_model()))
    parts, rest = parts_of(explanation)
    assert parts == [0, 0, 0]
    assert explanation.rest["miou"].difference == pytest.approx(rest)
    assert explanation.rest["miou"].interval.high < 0
    assert {part for part, _ in changing(explanation)} == {"model"}


def test_the_parts_and_the_rest_sum_to_the_gap():
    confusions = drawn_confusions(30, 4, quality=0.5)
    confusions[:, 3] = 0
    other = drawn_confusions(20, 4, quality=0.7, seed=3)
    explanation = explain_records(
        drawn_record(table=table_of(confusions), convention="detectron2-0.6"),
        drawn_record(table=table_of(other), model=better_model()),
    )
    for figure in FIGURES:
        parts, rest = parts_of(explanation, figure)
        assert sum(parts) + rest == pytest.approx(explanation.steps[0].gap(figure))
    assert [step.name for step in explanation.steps] == list(PARTS)
    assert {part for part, _ in changing(explanation)} == {"model", "convention", "images"}


def test_packages_and_devices_should_not_change_a_number():
    explanation = explain_records(drawn_record(), drawn_record(device="Another CPU", packages={"torch": "2.9"}))
    assert changing(explanation) == []
    assert [field.field for field in explanation.fields] == [
        "run.device",
        "run.packages.ovrisisbench",
        "run.packages.torch",
    ]
    assert explanation.conclusion == "Both have the same pixel counts."
    moved = explain_records(drawn_record(seed=1), drawn_record(seed=2, device="Another CPU"))
    assert moved.conclusion.startswith("Nothing differs that should change a number, yet the pixel counts do")


def test_a_renamed_checkpoint_is_a_name_and_another_one_is_a_checkpoint():
    checkpoint = a_model().checkpoint
    renamed = a_model(checkpoint=checkpoint.model_copy(update={"file": "other.pth"}))
    assert changing(explain_records(drawn_record(), drawn_record(model=renamed))) == []
    other = a_model(checkpoint=checkpoint.model_copy(update={"sha256": "d" * 64}))
    assert changing(explain_records(drawn_record(), drawn_record(model=other))) == [
        ("checkpoint", "model.checkpoint.sha256")
    ]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"protocol": {"id": "00000000"}}, "protocol"),
        ({"data": {"digest": "e" * 64}}, "data"),
        ({"model": a_model(precision="bfloat16")}, "model"),
        ({"model": a_model(settings={"layers": 2})}, "model"),
    ],
)
def test_each_part_of_the_identity_is_named(changes, part):
    explanation = explain_records(drawn_record(), drawn_record(**changes))
    assert {name for name, _ in changing(explanation)} == {part}


def test_records_of_two_data_sets_are_refused():
    with pytest.raises(RecordError, match="loveda and vdd"):
        explain_records(drawn_record(), drawn_record(dataset="vdd"))


def test_the_command_prints_fields_parts_and_rest(tmp_path):
    done = invoke(written(tmp_path, quality=0.5), written(tmp_path, quality=0.8, model=better_model()))
    assert done.exit_code == 0, done.output
    for words in ("Differs, and changes a number", "model.name", "convention", "rest", "The rest, mIoU: -"):
        assert words in done.stdout


def test_json_holds_the_same(tmp_path):
    done = invoke(written(tmp_path, quality=0.5), written(tmp_path, quality=0.8, model=better_model()), "--json")
    content = json.loads(done.stdout)
    assert [step["name"] for step in content["steps"]] == list(PARTS)
    assert content["rest"]["miou"]["p"] < 0.05
    assert content["conclusion"] == "What the counting does not explain is due to: model."


def test_without_counts_the_images_are_left_as_they_are(tmp_path):
    one, other = written(tmp_path), written(tmp_path, quality=0.9, model=better_model())
    next(other.parent.glob("cat-seg*.npz")).unlink()
    done = invoke(one, other)
    assert done.exit_code == 0, done.output
    assert "images: not made equal: the per-image counts are missing" in done.stdout
    assert "has no per-image counts beside it" in done.stderr


def test_a_printed_row_is_compared_by_figures_and_claims(tmp_path):
    table, row = find_published("published:ovrisisbench-table1/RSKT-Seg/ViT-B/dlrsd")
    record, counts = drawn_record(table=without_truth(), model=a_model(train_set="isaid"))
    found = explain_published(record, counts, table, row)
    assert [(claim.field, claim.a, claim.b) for claim in found.claims] == [("model.train_set", "isaid", "dlrsd")]
    figure = found.figures["miou"]
    assert figure.printed == pytest.approx(row.miou["loveda"] / 100)
    assert figure.recorded == record.metrics.miou
    assert figure.classes == (3, 4)
    assert figure.interval.low < figure.recorded < figure.interval.high
    assert figure.by_convention["detectron2-0.6"] == pytest.approx(record.metrics.miou * 3 / 4)
    assert figure.explained_by_convention == "detectron2-0.6"
    path = written(tmp_path)
    for arguments in (
        (path, f"published:{table.name}/rskt-seg/vit-b/dlrsd"),
        (f"published:{table.name}/rskt-seg/vit-b/dlrsd", path),
    ):
        done = invoke(*arguments)
        assert done.exit_code == 0, done.output
        assert f"{row.miou['loveda']:.2f}" in done.stdout
        assert "A print does not prove" in done.stdout
    content = json.loads(invoke(path, f"published:{table.name}/rskt-seg/vit-b/dlrsd", "--json").stdout)
    assert content["kind"] == "published"


def test_a_printed_row_must_be_named_so_that_it_is_one():
    table = read_published()[0].name
    for name, words in (
        ("published:nowhere/x", "no published table 'nowhere'"),
        (f"published:{table}", "more than one row"),
        (f"published:{table}/rskt-seg", "more than one row"),
        (f"published:{table}/nothing", "no row"),
    ):
        with pytest.raises(RecordError, match=words):
            find_published(name)
    assert "at least one measured record" in str(invoke(f"published:{table}/a", f"published:{table}/b").exception)


def test_a_data_set_that_is_not_printed_is_refused():
    table, row = find_published("published:ovrisisbench-table1/rskt-seg/vit-b/dlrsd")
    protocol = {"datasets": ("mine",)}
    record, counts = drawn_record(table=drawn_table(), dataset="mine", protocol=protocol)
    with pytest.raises(RecordError, match="no figure for mine"):
        explain_published(record, counts, table, row)
