"""What a contribution is checked for: everything that can be computed again is."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ovrisisbench.catalog import load_protocol
from ovrisisbench.cli import cli, main
from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.records import CountsTable, record_path, write_counts, write_record
from ovrisisbench.records.checking import check_records
from ovrisisbench.records.privacy import private_fields, private_parts
from tests.records.examples import a_model, a_record, a_scored_model, a_seen, a_table, np, some_predictions


def _table() -> CountsTable:
    counts = np.zeros((8, 8), np.int64)
    counts[0, 1], counts[2, 2], counts[7, 7] = 3, 5, 9
    images = [ImageCounts.from_confusion(name, counts, 1.0) for name in ("0", "1")]
    return CountsTable.from_images(images, scenes={"0": "0", "1": "1"}, num_classes=8)


def _written(folder: Path, **changes) -> Path:
    protocol = load_protocol()
    content = {
        "table": _table(),
        "class_names": protocol.vocabulary("loveda").class_names,
        "data": {"variant": protocol.variant("loveda").name, "seen_in_training": a_seen()},
        "protocol": {"id": protocol.id},
        **changes,
    }
    record = a_record(**content)
    return write_record(record, content["table"], folder)


def _problems(path: Path) -> str:
    found = check_records([path])
    return " ".join([*found.problems, *(sentence for one in found.records for sentence in one.problems)])


def test_a_right_record_is_right_and_told_what_its_row_lacks(tmp_path):
    found = check_records([_written(tmp_path)])
    assert found.is_right
    (one,) = found.records
    assert len(one.checked) == 4
    assert found.lacks == (
        "RSKT-Seg (vit-b) has no record of dlrsd, isaid, potsdam, uavid, udd5, vaihingen, vdd, so its row has no mean.",
    )


def test_a_figure_edited_by_hand_is_found(tmp_path):
    path = _written(tmp_path)
    content = json.loads(path.read_text())
    content["metrics"]["miou"] = 0.99
    path.write_text(json.dumps(content))
    assert "metrics.miou says 0.99" in _problems(path)


def test_counts_that_do_not_add_up_or_are_gone_are_found(tmp_path):
    path = _written(tmp_path)
    counts = path.with_name(path.name.replace(".record.json", ".counts.npz"))
    write_counts(a_table([[[1, 0], [0, 1]], [[1, 0], [0, 1]]]), counts)
    assert "does not add up" in _problems(path)
    counts.unlink()
    assert "is missing" in _problems(path)


def test_counts_spread_over_other_images_are_found_by_their_digest(tmp_path):
    path = _written(tmp_path)
    table = _table()
    renamed = CountsTable.from_images(
        [
            ImageCounts.from_confusion(name, dense, 1.0)
            for name, dense in zip("ab", table.image_confusions(), strict=True)
        ],
        scenes={"a": "0", "b": "1"},
        num_classes=8,
    )
    write_counts(renamed, path.with_name(path.name.replace(".record.json", ".counts.npz")))
    assert "its digest differs" in _problems(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": {"id": "00000000"}}, "protocol.id says 00000000"),
        ({"protocol": {"name": "mine"}}, "Its protocol is not known here"),
        ({"protocol": {"id": load_protocol().id, "datasets": ("loveda",)}}, "protocol.datasets does not list"),
        ({"class_names": [f"class {index}" for index in range(8)]}, "vocabulary.class_names are not those of the card"),
        ({"data": {"variant": "mine"}}, "dataset.variant says 'mine'"),
        ({"convention": "detectron2-0.6"}, "metrics.convention says detectron2-0.6"),
        ({"model": a_model(settings={"clip": "/home/ann/clip.pt"})}, r"model.settings.clip holds a path"),
        ({"device": "ann@node17.example.org"}, "run.device holds an address"),
    ],
)
def test_what_does_not_fit_the_cards_or_is_private_is_found(changes, words, tmp_path):
    assert words in _problems(_written(tmp_path, **changes))


def test_a_record_under_another_name_is_found(tmp_path):
    path = _written(tmp_path)
    other = path.with_name("mine.record.json")
    shutil.copy(path, other)
    assert f"belongs into a file named {path.name}" in _problems(other)


def test_two_results_of_one_run_contradict(tmp_path):
    first = _written(tmp_path / "a")
    counts = np.eye(8, dtype=np.int64)
    images = [ImageCounts.from_confusion(name, counts, 1.0) for name in ("0", "1")]
    table = CountsTable.from_images(images, scenes={"0": "0", "1": "1"}, num_classes=8)
    _written(tmp_path / "b", table=table)
    assert "two results of one run" in _problems(tmp_path)
    assert check_records([first]).is_right


def test_notes_say_what_keeps_a_record_out_of_the_ranking(tmp_path):
    path = _written(
        tmp_path,
        model=a_scored_model(train_set="other:unstated", precision="tf32"),
        predictions=some_predictions(source=None),
        data={
            "variant": load_protocol().variant("loveda").name,
            "partial": True,
            "partial_reasons": ("10 images have no prediction",),
        },
    )
    (one,) = check_records([path]).records
    assert [note.partition(" ")[0] for note in one.remarks] == ["The", "It", "How", "The"]
    assert one.problems == ()


def test_the_command_ends_with_1_for_what_is_wrong_and_2_for_what_is_not_there(tmp_path, capsys):
    path = _written(tmp_path)
    for arguments, status in (([path], 0), ([tmp_path], 0), ([tmp_path / "nowhere"], 2), ([tmp_path / "empty"], 2)):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(SystemExit) as end:
            main(["check-record", *map(str, arguments)])
        assert end.value.code == status
    path.write_text("{}")
    with pytest.raises(SystemExit) as end:
        main(["check-record", str(path), "--json"])
    assert end.value.code == 1
    with pytest.raises(RecordError, match="holds no record"):
        check_records([tmp_path / "empty"])
    result = CliRunner().invoke(cli, ["check-record", str(path), "--json"], standalone_mode=False)
    assert json.loads(result.output)["right"] is False


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("/home/ann/x.pth", "a path"),
        ("--data=~/data", "a path"),
        ("C:\\Users\\ann", "a path"),
        ("ann@host.example.org", "an address"),
        ("192.168.0.7", "an address"),
        ("node3.cluster.local", "a host"),
    ],
)
def test_private_words_are_found(text, what):
    assert private_parts(text)[0].startswith(what)


@pytest.mark.parametrize(
    "text",
    [
        "ViT-L/14@336px",
        "a photo of a {}/ background",
        "Clutter/background",
        "https://github.com/someone/something/tree/main",
        "AMD EPYC 7B13 (2.4 GHz)",
        "2.14.1+cu126",
        "drawn_adapters.py:Brightness",
        "Linux x86_64",
    ],
)
def test_public_words_are_not_private(text):
    assert private_parts(text) == []


def test_the_path_of_a_private_field_is_told(monkeypatch):
    monkeypatch.setattr("platform.node", lambda: "mybox42")
    assert private_fields({"run": {"command": ["ok", "on mybox42"]}}) == [
        "run.command.1 holds the name of this machine ('mybox42')"
    ]


def test_the_records_beside_the_format_tests_would_be_refused_for_their_short_vocabulary():
    found = check_records([Path(__file__).parent / "historic" / "v4.record.json"])
    assert not found.is_right
    assert record_path(found.records[0].record, Path()).name in " ".join(found.records[0].problems)
