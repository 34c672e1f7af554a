"""Records of speed: written, read, refused; and the printed table."""

import json

import pytest
from pydantic import ValidationError

from ovrisisbench.errors import RecordError
from ovrisisbench.records import Parameters
from ovrisisbench.records.speed import (
    Flops,
    Milliseconds,
    PublishedSpeed,
    SpeedModel,
    SpeedRecord,
    SpeedTask,
    read_published_speed,
    read_speed_records,
    write_speed_record,
)


def a_speed(**changes) -> SpeedRecord:
    content = {
        "model": SpeedModel(
            name="cat-seg",
            title="CAT-Seg",
            adapter="ovrisisbench 0.1.0",
            backbone="vit-b",
            weights="untrained",
            settings={"sliding_window": False, "linears": "plain"},
        ),
        "task": SpeedTask(height=640, width=640, classes=8, images=4, warm_up=1),
        "image_ms": Milliseconds.of([100.0, 110.0, 120.0, 170.0]),
        "text_ms": 500.0,
        "parameters": Parameters(total=154_000_000, trainable=25_000_000),
        "flops": Flops(counted=200_000_000_000, uncounted={"native_layer_norm": 26}),
        "peak_memory_mib": 900.0,
        "peak_memory_kind": "resident memory",
        "device": "Example CPU",
        "threads": 1,
        "date": "2026-01-31T09:30:00Z",
        "packages": {"ovrisisbench": "0.1.0"},
        "python": "3.12.4",
        "platform": "Linux x86_64",
        "command": ("ovrisis-bench", "speed"),
    }
    return SpeedRecord(**{**content, **changes})


def test_times_are_summarised():
    record = a_speed()
    assert (record.image_ms.mean, record.image_ms.median) == (125.0, 115.0)
    assert record.image_ms.p95 == pytest.approx(162.5)
    assert record.frames_per_second == pytest.approx(8.0)


def test_a_record_is_read_as_it_was_written(tmp_path):
    path = write_speed_record(a_speed(), tmp_path)
    assert path.parent == tmp_path / "speed"
    assert path.name.startswith("cat-seg_vit-b_640x640_example-cpu_")
    assert read_speed_records(tmp_path) == [a_speed()]


def test_a_repetition_replaces_its_record_and_nothing_else_does(tmp_path):
    same = a_speed(image_ms=Milliseconds.of([1.0]), date="2026-02-01T09:30:00Z")
    others = [
        a_speed(device="Another CPU"),
        a_speed(threads=2),
        a_speed(model=a_speed().model.model_copy(update={"settings": {"sliding_window": True}})),
        a_speed(task=a_speed().task.model_copy(update={"classes": 17})),
    ]
    stems = {record.stem for record in [a_speed(), same, *others]}
    assert same.stem == a_speed().stem
    assert len(stems) == 5


def test_a_wrong_file_is_named_with_its_field(tmp_path):
    path = write_speed_record(a_speed(), tmp_path)
    content = json.loads(path.read_text())
    content["image_ms"]["mean"] = -1
    path.write_text(json.dumps(content))
    with pytest.raises(RecordError, match=r"speed.json: field 'image_ms.mean'"):
        read_speed_records(tmp_path)


def test_the_papers_table_is_installed_as_printed():
    (table,) = read_published_speed()
    assert table.name == "ovrisisbench-table7"
    printed = {row.model: (row.mean_ms, row.fps) for row in table.rows}
    assert printed == {
        "scan": (145.83, 6.86),
        "san": (53.79, 18.59),
        "sed": (60.47, 16.54),
        "cat-seg": (114.88, 8.7),
        "ovris": (285.37, 3.5),
        "rskt-seg": (65.11, 15.36),
    }
    assert "image size" in table.unstated


def test_printed_rates_must_follow_from_printed_times():
    (table,) = read_published_speed()
    content = table.model_dump(mode="json")
    content["rows"][0]["fps"] = 7.0
    with pytest.raises(ValidationError, match=r"145\.83 ms are 6\.86 images a second, not 7\.0"):
        PublishedSpeed.model_validate(content)
