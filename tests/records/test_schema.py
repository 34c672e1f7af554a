import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ovrisisbench.catalog import load_protocol
from ovrisisbench.records import ImageTimes, ProtocolUsed, Record, VocabularyUsed, metrics_of
from tests.records.examples import a_floor, a_model, a_record, a_run, a_seen, a_table


def as_json(record):
    return json.loads(record.model_dump_json())


def test_a_record_survives_json_unchanged():
    record = a_record()
    assert Record.model_validate(as_json(record)) == record


def test_settings_keep_their_types_through_json():
    settings = Record.model_validate(as_json(a_record())).model.settings
    assert settings == {"layers": 5, "rotations": True, "scale": 0.5, "prompt": "a photo of {}", "extra": None}
    assert [type(value) for value in settings.values()] == [int, bool, float, str, type(None)]


def test_figures_are_those_of_the_summed_confusion_matrix():
    record = a_record()
    assert record.confusion == ((8, 2, 0), (1, 8, 1), (0, 0, 4))
    assert record.metrics.iou == pytest.approx((8 / 11, 8 / 12, 4 / 5))
    assert record.metrics.acc == pytest.approx((8 / 10, 8 / 10, 1))
    assert record.metrics.miou == pytest.approx((8 / 11 + 8 / 12 + 4 / 5) / 3)
    assert record.metrics.pacc == pytest.approx(20 / 24)
    assert (record.metrics.classes_in_miou, record.metrics.num_classes) == (3, 3)


def test_undefined_figures_are_none():
    metrics = metrics_of(np.array([[3, 0], [0, 0]]), "detectron2")
    assert metrics.iou == (1.0, None)
    assert (metrics.classes_in_miou, metrics.num_classes) == (1, 2)
    empty = metrics_of(np.zeros((2, 2), np.int64), "detectron2")
    assert (empty.miou, empty.macc, empty.fwiou, empty.pacc) == (None, None, None, None)


def test_a_record_of_no_images_is_possible():
    table = a_table([np.zeros((3, 3))])
    empty = type(table)(ids=(), scenes=(), num_classes=3, **{name: getattr(table, name) for name in table_columns()})
    record = a_record(table=empty)
    assert record.metrics.miou is None
    assert Record.model_validate(as_json(record)) == record


def table_columns():
    return ("image", "truth", "prediction", "pixels")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("metrics", "miou"), 0.99, "metrics.miou says 0.99 but its confusion gives 0.7"),
        (("metrics", "macc"), None, "metrics.macc says undefined but its confusion gives"),
        (("metrics", "iou", 1), 0.9, "metrics.iou.1 says 0.9 but its confusion gives 0.666667"),
        (("metrics", "acc"), [1.0], "metrics.acc has 1 values, but its confusion has 3 classes"),
        (("metrics", "classes_in_miou"), 2, "metrics.classes_in_miou says 2 but its confusion gives 3"),
        (("confusion", 0, 0), 9, "but its confusion gives"),
        (("confusion", 0), [1, 2], "must be square"),
        (("vocabulary", "class_names"), ["water", "road", "tree"], "digest says"),
        (("dataset", "images"), 3, "images says 3, but images_total is 2"),
        (("dataset", "images_total"), 5, "limited says False, but 2 of 5"),
        (("dataset", "limited"), True, "limited says True, but 2 of 2"),
        (("dataset", "partial"), True, "partial says True, but there are 0 reasons"),
        (("dataset", "key"), "cityscapes", "protocol.datasets does not list dataset.key 'cityscapes'"),
        (("model", "weights"), "none", "weights says 'none', but checkpoint is"),
        (("model", "checkpoint", "file"), "/home/me/final.pth", "pattern"),
        (("protocol", "id"), "XYZ", "pattern"),
        (("run", "date"), "yesterday", "pattern"),
        (("run", "mood"), "good", "Extra inputs are not permitted"),
        (("confusion", 0, 0), -1, "greater than or equal to 0"),
        (("confusion", 0, 0), 8.5, "valid integer"),
    ],
)
def test_a_field_edited_by_hand_is_refused(path, value, words):
    content = as_json(a_record())
    place = content
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(ValidationError) as caught:
        Record.model_validate(content)
    assert words in str(caught.value)


@pytest.mark.parametrize("field", ["model", "protocol", "dataset", "vocabulary", "metrics", "confusion", "run"])
def test_no_section_may_be_missing(field):
    content = as_json(a_record())
    del content[field]
    with pytest.raises(ValidationError, match="Field required"):
        Record.model_validate(content)


def test_the_figures_of_one_convention_are_not_those_of_the_other():
    table = a_table([[[5, 0, 1], [0, 5, 0], [0, 0, 0]]])  # the third class is predicted, but never true
    content = as_json(a_record(table=table))
    assert content["metrics"]["classes_in_miou"] == 2
    content["metrics"]["convention"] = "detectron2-0.6"
    with pytest.raises(ValidationError, match="but its confusion gives"):
        Record.model_validate(content)


def test_counts_of_another_number_of_images_make_no_record():
    with pytest.raises(ValueError, match=r"dataset\.images says 1, but there are counts of 2 images"):
        a_record(data={"images": 1, "images_total": 1})


def test_how_a_run_was_driven_does_not_change_the_result_digest():
    one = a_record()
    other = a_record(run=a_run(processes=8, batch_size=1, seconds=1.0, device="Other GPU", resumed_images=1))
    assert one.result_digest() == other.result_digest()
    assert one.stem == other.stem


def test_one_pixel_in_one_image_changes_the_result_digest_but_not_the_name():
    one = a_record()
    other = a_record(table=a_table([[[6, 2, 0], [1, 3, 0], [0, 0, 3]], [[2, 0, 0], [0, 5, 1], [0, 0, 1]]]))
    assert one.confusion == other.confusion
    assert one.result_digest() != other.result_digest()
    assert one.stem == other.stem


@pytest.mark.parametrize(
    "changes",
    [
        {"model": a_model(settings={"layers": 2})},
        {"model": a_model(precision="bfloat16")},
        {"model": a_model(checkpoint={"file": "model_final.pth", "sha256": "e" * 64})},
        {"model": a_model(weights="untrained", checkpoint=None, seed=0)},
        {"model": a_model(backbone="vit-l")},
        {"model": a_model(train_set="isaid")},
        {"protocol": {"id": "545ff852"}},
        {"dataset": "vdd"},
        {"data": {"digest": "e" * 64}},
        {"data": {"images_total": 9, "limited": True}},
        {"data": {"partial": True, "partial_reasons": ("3 images are missing",)}},
        {"data": {"seen_in_training": a_seen(of=3, left_out=True)}},
        {"class_names": ("road", "water", "trees")},
        {"convention": "detectron2-0.6"},
    ],
)
def test_whatever_can_change_a_number_changes_the_file_name(changes):
    assert a_record(**changes).stem != a_record().stem


def test_what_training_has_seen_changes_nothing_where_it_was_tested_all_the_same():
    known = a_record(data={"seen_in_training": a_seen()})
    assert known.stem == a_record().stem
    assert known.result_digest() == a_record().result_digest()
    assert known.dataset.left_out is None


def test_other_images_left_out_make_another_run():
    one, other = (
        a_record(data={"seen_in_training": a_seen(of=3, left_out=True, ids_digest=digit * 64)}) for digit in "ab"
    )
    assert one.stem != other.stem
    assert one.dataset.left_out == "a" * 64


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"seen_in_training": a_seen(of=3)}, "images_total says 2, but of 3 images 1 were seen in training and not"),
        (
            {"seen_in_training": a_seen(left_out=True)},
            "images_total says 2, but of 2 images 1 were seen in training and",
        ),
        ({"seen_in_training": a_seen(train_set="isaid")}, "is about training on isaid, but model.train_set says dlrsd"),
    ],
)
def test_what_training_has_seen_must_fit_the_rest(data, words):
    with pytest.raises(ValidationError) as caught:
        a_record(data=data)
    assert words in str(caught.value)


def test_more_than_all_images_cannot_have_been_seen():
    with pytest.raises(ValidationError, match="by_split, exact and near sum to 3, but of says 2"):
        a_seen(by_split=1, near=1)


def test_a_model_that_was_not_trained_has_seen_nothing():
    with pytest.raises(ValidationError, match=r"model\.train_set says None"):
        a_record(model=a_floor(), data={"seen_in_training": a_seen()})


def test_a_renamed_checkpoint_or_title_is_the_same_run():
    renamed = a_model(checkpoint={"file": "copy.pth", "sha256": "c" * 64}, title="Our model")
    assert a_record(model=renamed).stem == a_record().stem


def test_file_names_hold_no_separators_whatever_the_names_are():
    stem = a_record(model=a_model(name="../../évil name", backbone="ViT-L/14@336px")).stem
    assert stem.startswith("vil-name_vit-l-14-336px_dlrsd_loveda_")


def test_protocol_and_vocabulary_are_taken_from_the_catalog():
    protocol = load_protocol()
    used = ProtocolUsed.of(protocol)
    assert (used.name, used.id, used.datasets) == (protocol.name, protocol.id, protocol.datasets)
    assert VocabularyUsed.of(["a", "b"]).digest != VocabularyUsed.of(["b", "a"]).digest


def test_image_times_are_summarised():
    times = ImageTimes.of([1.0, 2.0, 3.0, 10.0])
    assert times is not None
    assert (times.mean, times.median) == (4.0, 2.5)
    assert 3.0 < times.p95 < 10.0
    assert ImageTimes.of([]) is None


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_perfect_predictions_make_a_record_whatever_the_counts(pixels):
    metrics = metrics_of(np.diag(np.array(pixels, np.int64)), "detectron2")
    assert metrics.miou == (1.0 if any(pixels) else None)
