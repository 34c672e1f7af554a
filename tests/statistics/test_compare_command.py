import json

import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli
from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.metrics import compute_metrics
from ovrisisbench.statistics import compare_records
from tests.records.examples import a_model
from tests.statistics.drawn_counts import drawn_confusions, table_of
from tests.statistics.drawn_records import better_model, drawn_record, written


def invoke(*arguments):
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)])


def test_two_records_are_compared_in_all_figures_and_by_class(tmp_path):
    done = invoke(written(tmp_path, quality=0.5), written(tmp_path, quality=0.8, model=better_model()))
    assert done.exit_code == 0, done.output
    for words in (
        "A  RSKT-Seg",
        "B  CAT-Seg",
        "mIoU",
        "fwIoU",
        "p (Holm)",
        "water",
        "2000 resamples of scenes, seed 0",
    ):
        assert words in done.stdout


def test_json_holds_everything_and_equal_commands_give_equal_bytes(tmp_path):
    paths = written(tmp_path, quality=0.5), written(tmp_path, quality=0.8, model=better_model())
    done = invoke(*paths, "--json", "--seed", 4, "--resamples", 400)
    content = json.loads(done.stdout)
    assert done.stdout == invoke(*paths, "--json", "--seed", 4, "--resamples", 400).stdout
    assert content["settings"] == {
        "convention": "detectron2",
        "level": 0.95,
        "power": 0.8,
        "resamples": 400,
        "seed": 4,
    }
    (pair,) = content["datasets"]["loveda"]["pairs"]
    assert pair["figures"]["miou"]["difference"] < 0
    assert pair["figures"]["miou"]["interval"]["high"] < 0
    assert [entry["class"] for entry in pair["classes"]] == ["road", "water", "tree", "car"]
    assert content["mean"] is None


def test_options_reach_the_figures(tmp_path):
    paths = written(tmp_path, quality=0.5), written(tmp_path, quality=0.8, model=better_model())

    def miou(*options):
        content = json.loads(invoke(*paths, "--json", *options).stdout)
        return content["datasets"]["loveda"]["pairs"][0]["figures"]["miou"]

    plain, wide = miou(), miou("--level", "0.99")
    assert wide["interval"]["low"] < plain["interval"]["low"]
    assert miou("--power", "0.9")["least_detectable"] > plain["least_detectable"]
    record, _ = drawn_record(quality=0.5)
    assert miou("--classes", "water,car")["a"] == pytest.approx((record.metrics.iou[1] + record.metrics.iou[3]) / 2)


def test_the_convention_can_be_chosen(tmp_path):
    confusions = drawn_confusions(20, 4)
    confusions[:, 3] = 0  # no truth, but predicted
    table = table_of(confusions)
    paths = (
        written(tmp_path, table=table, convention="detectron2"),
        written(tmp_path, table=table, convention="detectron2-0.6", model=better_model()),
    )
    refused = invoke(*paths)
    assert isinstance(refused.exception, RecordError)
    assert "--convention" in str(refused.exception)
    old = json.loads(invoke(*paths, "--convention", "detectron2-0.6", "--json").stdout)
    figures = old["datasets"]["loveda"]["pairs"][0]["figures"]["miou"]
    assert figures["difference"] == 0
    assert figures["a"] == pytest.approx(compute_metrics(table.confusion(), "detectron2-0.6").miou)


def test_records_of_one_model_on_several_data_sets_are_one_competitor(tmp_path):
    paths = [
        written(tmp_path, quality=quality, model=model, dataset=key)
        for model, quality in ((a_model(), 0.5), (better_model(), 0.6))
        for key in ("vdd", "loveda")
    ]
    extra = written(tmp_path, dataset="potsdam")
    content = json.loads(invoke(*paths, extra, "--json").stdout)
    assert [model["letter"] for model in content["models"]] == ["A", "B"]
    assert list(content["datasets"]) == ["loveda", "vdd"]
    assert content["left_out"] == ["potsdam"]
    assert content["notes"] == ["The mean is over 2 of the 8 data sets of the protocol."]
    singles = [entry["pairs"][0]["figures"]["miou"]["difference"] for entry in content["datasets"].values()]
    assert content["mean"]["pairs"][0]["figures"]["miou"]["difference"] == pytest.approx(sum(singles) / 2)
    # Independent draws: one seed must not make two data sets move together.
    first, second = (entry["pairs"][0]["figures"]["miou"]["interval"] for entry in content["datasets"].values())
    assert first["low"] != second["low"]
    printed = invoke(*paths, extra).stdout
    assert "mean of 2" in printed
    assert "Left out, since not all models have them: potsdam." in printed


def test_more_than_two_models_are_ranked_and_all_pairs_are_shown(tmp_path):
    paths = [
        written(tmp_path, quality=0.4 + 0.1 * layers, model=a_model(settings={"layers": layers})) for layers in range(3)
    ]
    done = invoke(*paths, "--figure", "macc")
    assert done.exit_code == 0, done.output
    for words in ("rank 1", "rank 3", "A, B", "A, C", "B, C", "loveda: mACC", "layers=1", "layers=2"):
        assert words in done.stdout


def test_a_record_against_a_copy_of_itself_is_no_difference(tmp_path):
    path = written(tmp_path)
    content = json.loads(invoke(path, path, "--json").stdout)
    difference = content["datasets"]["loveda"]["pairs"][0]["figures"]["miou"]
    assert (difference["difference"], difference["wins"], difference["p"]) == (0, 0, 1)


def test_few_scenes_are_said(tmp_path):
    table = table_of(drawn_confusions(6, 4), scenes=["a", "a", "b", "b", "c", "c"])
    done = invoke(written(tmp_path, table=table), written(tmp_path, table=table, model=better_model()))
    assert "No interval where fewer than 7 scenes tell how much scenes differ: loveda (3)." in done.stdout


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"protocol": {"id": "00000000"}}, "protocol.id"),
        ({"data": {"digest": "e" * 64}}, "dataset.digest"),
        ({"data": {"variant": "other"}}, "dataset.variant"),
        ({"class_names": ("roads", "water", "tree", "car")}, "vocabulary.digest"),
        ({"data": {"images_total": 31, "limited": True}, "table": table_of(drawn_confusions(29, 4))}, "dataset.images"),
    ],
)
def test_records_that_are_not_of_the_same_are_refused_with_the_field(changes, field):
    with pytest.raises(RecordError, match=field.replace(".", r"\.")) as caught:
        compare_records([drawn_record(), drawn_record(model=better_model(), **changes)])
    assert "explain" in str(caught.value)


def test_what_cannot_be_compared_is_said(tmp_path):
    one = written(tmp_path)
    counts = next(one.parent.glob("*.npz"))
    other = written(tmp_path, dataset="vdd", model=better_model())
    for arguments, words in (
        ([one], "at least two"),
        ([one, counts], "not a record"),
        ([one, other], "no data set in common"),
        ([one, one, "--classes", "boat"], "no class 'boat'"),
    ):
        assert words in str(invoke(*arguments).exception)
    with pytest.raises(RecordError, match="no records"):
        compare_records([])
