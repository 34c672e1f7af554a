"""Predictions written to files and scored give the counts of the run that made them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.adapter import LoadOptions, find_adapter
from ovrisisbench.adapter.score_maps import cropped_scores
from ovrisisbench.benchmark import run
from ovrisisbench.catalog import load_card, load_protocol
from ovrisisbench.catalog.legend import legend
from ovrisisbench.errors import AdapterError, DataError, EvaluationError
from ovrisisbench.evaluate import label_map
from ovrisisbench.evaluate.kept_labels import read_label_map
from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.leaderboard.json_export import leaderboard_json
from ovrisisbench.prepare import PreparedDataset
from ovrisisbench.records import label_maps_folder, read_record_counts, read_records, record_path
from ovrisisbench.report import write_report
from ovrisisbench.scoring import ScoreReport, score
from tests.records.examples import a_record, a_scored_model, a_table, some_predictions

BRIGHTNESS = f"{Path(__file__).parent.parent / 'adapter' / 'drawn_adapters.py'}:Brightness"


@pytest.fixture(scope="module")
def made(drawn_data) -> dict[str, np.ndarray]:
    """The scores of a small model on every image, by id, as somebody else's code would have made them."""
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    adapter = find_adapter(BRIGHTNESS).load_class().load(LoadOptions(backbone="none"))
    adapter.set_vocabulary(dataset.manifest.class_names)
    maps = {}
    for index, sample in enumerate(dataset.samples):
        (one,) = adapter.predict([dataset.image(index)], image_ids=[sample.id])
        maps[sample.id] = np.asarray(cropped_scores(one))
    return maps


@pytest.fixture(scope="module")
def ran(drawn_data, tmp_path_factory):
    (record,) = run(BRIGHTNESS, data=drawn_data, results=tmp_path_factory.mktemp("ran"), device="cpu")
    return record


def _labels(scores: np.ndarray) -> np.ndarray:
    return label_map(scores, (256, 256))


def _palette(labels: np.ndarray, path: Path) -> None:
    picture = Image.new("P", labels.shape[::-1])
    picture.frombytes(labels.tobytes())
    picture.putpalette([17 * (value % 15) for value in range(768)])
    picture.save(path)


def _colours(labels: np.ndarray) -> np.ndarray:
    entries = [
        entry for entry in legend(load_card("isaid"), load_protocol().variant("isaid")) if entry.index is not None
    ]
    table = np.zeros((256, 3), np.uint8)
    for entry in entries:
        table[entry.index] = entry.labels[0].colour
    return table[labels]


def _geotiff(labels: np.ndarray, path: Path) -> None:
    import rasterio

    place = {"crs": "EPSG:32632", "transform": rasterio.transform.from_origin(5e5, 5e6, 0.5, 0.5)}
    with rasterio.open(
        path, "w", driver="GTiff", height=256, width=256, count=1, dtype="int16", compress="deflate", **place
    ) as target:
        target.write(labels.astype(np.int16), 1)


WRITERS = {
    "PNG, indices": (".png", lambda scores, path: Image.fromarray(_labels(scores)).save(path)),
    "PNG, palette": (".png", lambda scores, path: _palette(_labels(scores), path)),
    "PNG, colours": (".png", lambda scores, path: Image.fromarray(_colours(_labels(scores))).save(path)),
    "TIFF, indices": (".tif", lambda scores, path: _geotiff(_labels(scores), path)),
    "NPZ, indices": (".npz", lambda scores, path: np.savez(path, labels=_labels(scores).astype(np.int64))),
    "NPZ, scores": (".npz", lambda scores, path: np.savez(path, scores=scores)),
    "NPY, scores": (".npy", lambda scores, path: np.save(path, scores.astype(np.float64))),
}


def _written(made, folder: Path, form: str = "PNG, indices") -> Path:
    ending, write = WRITERS[form]
    folder.mkdir(parents=True)
    for image_id, scores in made.items():
        write(scores, folder / f"{image_id}{ending}")
    return folder


def _score(folder: Path, drawn_data, tmp_path, **options):
    options.setdefault("model_name", "Mine")
    return score(folder, "isaid", data=drawn_data, results=tmp_path / "results", **options)


@pytest.mark.parametrize("form", WRITERS)
def test_files_of_every_form_give_the_counts_of_the_run_that_made_them(form, made, ran, drawn_data, tmp_path):
    record = _score(_written(made, tmp_path / "predictions", form), drawn_data, tmp_path)
    assert record.predictions.forms == {form: len(made)}
    assert record.confusion == ran.confusion
    assert record.metrics == ran.metrics
    assert record.protocol == ran.protocol
    assert record.dataset == ran.dataset
    assert record.vocabulary == ran.vocabulary
    assert record.counts.digest == ran.counts.digest


@pytest.mark.parametrize("form", ["PNG, palette", "NPZ, scores"])
def test_the_kept_label_maps_are_those_that_were_counted(form, made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "predictions", form)
    plain = _score(folder, drawn_data, tmp_path)
    kept = label_maps_folder(plain, record_path(plain, tmp_path / "results").parent)
    assert not kept.exists()
    record = _score(folder, drawn_data, tmp_path, label_maps=True)
    assert (record.stem, record.result_digest()) == (plain.stem, plain.result_digest())
    for image_id, scores in made.items():
        assert np.array_equal(read_label_map(kept, image_id), _labels(scores))
    assert [path.name for path in (tmp_path / "results").iterdir()] == [kept.parent.name]


def test_predictions_with_a_mistake_leave_earlier_label_maps_alone(made, drawn_data, tmp_path):
    record = _score(_written(made, tmp_path / "predictions"), drawn_data, tmp_path, label_maps=True)
    kept = label_maps_folder(record, record_path(record, tmp_path / "results").parent)
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    Image.new("L", (3, 3)).save(tmp_path / "predictions" / f"{max(made)}.png")
    with pytest.raises(DataError, match="size"):
        _score(tmp_path / "predictions", drawn_data, tmp_path, label_maps=True)
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == before
    assert [path.name for path in (tmp_path / "results").iterdir()] == [kept.parent.name]


def test_a_record_that_cannot_be_written_leaves_no_label_maps(made, drawn_data, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("ovrisisbench.records.write_record", full)
    with pytest.raises(OSError, match="no space left"):
        _score(_written(made, tmp_path / "predictions"), drawn_data, tmp_path, label_maps=True)
    assert not list((tmp_path / "results").iterdir())


def test_the_report_shows_scored_label_maps_also_where_they_say_nothing_at_ignored_pixels(made, drawn_data, tmp_path):
    with PreparedDataset(drawn_data / "isaid.h5") as dataset:
        truth = {sample.id: dataset.label(index) for index, sample in enumerate(dataset.samples)}
    (tmp_path / "predictions").mkdir()
    silent = 0
    for image_id, scores in made.items():
        labels = np.where(truth[image_id] == 255, 255, _labels(scores)).astype(np.uint8)
        silent += int((labels == 255).sum())
        Image.fromarray(labels).save(tmp_path / "predictions" / f"{image_id}.png")
    assert silent
    record = _score(tmp_path / "predictions", drawn_data, tmp_path)
    options = {"results": tmp_path / "results", "data": drawn_data}
    assert any(
        "ovrisis-bench score --keep-label-maps" in said for said in write_report(tmp_path / "a", **options).missing
    )
    again = _score(tmp_path / "predictions", drawn_data, tmp_path, label_maps=True)
    assert again.stem == record.stem
    assert not any("label map" in said.lower() for said in write_report(tmp_path / "b", **options).missing)
    shown = list((tmp_path / "b").glob("pictures/*/isaid/*.js"))
    assert shown
    assert not [path for path in shown if '"predictions":{}' in path.read_text().replace(" ", "")]


def test_the_form_of_the_files_does_not_change_what_the_record_is_about(made, drawn_data, tmp_path):
    stems = {
        _score(_written(made, tmp_path / form, form), drawn_data, tmp_path).stem
        for form in ("PNG, colours", "NPZ, scores")
    }
    assert len(stems) == 1
    assert len(read_records(tmp_path / "results")) == 1


def test_other_predictions_of_one_model_are_another_record(made, drawn_data, tmp_path):
    first = _score(_written(made, tmp_path / "one"), drawn_data, tmp_path)
    turned = {image_id: scores[::-1] for image_id, scores in made.items()}
    second = _score(_written(turned, tmp_path / "two"), drawn_data, tmp_path)
    assert first.stem != second.stem
    assert len(read_records(tmp_path / "results")) == 2


def test_two_sets_of_predictions_of_one_model_are_two_rows():
    both = [
        a_record(model=a_scored_model(), predictions=some_predictions(digest=digit * 64), table=table)
        for digit, table in (("1", a_table()), ("2", a_table(prefix="other")))
    ]
    board = leaderboard_table(both)
    rows = [row for section in board.sections for block in section.blocks for row in block.rows]
    labels = {row.label for row in rows if not row.computed}
    assert labels == {"RSKT-Seg (scored predictions)", "RSKT-Seg (scored predictions, other predictions)"}


def test_the_record_says_that_it_is_of_scored_predictions_and_whose_words_its_origin_is(made, drawn_data, tmp_path):
    record = _score(
        _written(made, tmp_path / "p"), drawn_data, tmp_path, source="authors' code, commit abc", backbone="vit-b"
    )
    assert (record.model.kind, record.model.weights, record.model.adapter) == (
        "predictions",
        "elsewhere",
        "made elsewhere",
    )
    assert record.model.train_set == "other:unstated"
    assert record.predictions.source == "authors' code, commit abc"
    (read,) = read_records(tmp_path / "results")
    assert read == record
    counts = read_record_counts(read, record_path(read, tmp_path / "results").parent)
    assert np.array_equal(counts.confusion(), record.confusion_array)


def test_the_leaderboard_shows_scored_predictions_marked(made, drawn_data, tmp_path):
    _score(_written(made, tmp_path / "p"), drawn_data, tmp_path, train_set="dlrsd", backbone="vit-b")
    (section,) = leaderboard_table(read_records(tmp_path / "results")).sections
    block, _ = section.blocks  # and floors and ceilings
    assert (block.title, block.family) == ("Trained on DLRSD", "B")
    assert block.rows[0].label == "Mine (scored predictions)"
    assert any(note.startswith("Scored predictions were made elsewhere") for note in section.notes)
    assert '"kind": "predictions"' in leaderboard_json(leaderboard_table(read_records(tmp_path / "results")))


def test_a_training_set_that_nobody_stated_has_a_block_of_its_own(made, drawn_data, tmp_path):
    _score(_written(made, tmp_path / "p"), drawn_data, tmp_path)
    (section,) = leaderboard_table(read_records(tmp_path / "results")).sections
    assert [block.title for block in section.blocks] == ["Trained on an unstated set", "Floors and ceilings"]


def test_windows_are_cut_out_of_a_file_that_holds_the_whole_scene(made, ran, drawn_data, tmp_path):
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    scenes: dict[str, np.ndarray] = {}
    agreeing = {}
    for sample in dataset.samples:
        y0, y1, x0, x1 = map(int, sample.id.rsplit("_", 4)[1:])
        whole = scenes.setdefault(sample.scene, np.zeros((2000, 2000), np.uint8))
        whole[y0:y1, x0:x1] = _labels(made[sample.id])
    folder = tmp_path / "scenes"
    folder.mkdir()
    for scene, labels in scenes.items():
        Image.fromarray(labels).save(folder / f"{scene}.png")
    for sample in dataset.samples:
        y0, y1, x0, x1 = map(int, sample.id.rsplit("_", 4)[1:])
        agreeing[sample.id] = np.eye(15, dtype=np.float32)[scenes[sample.scene][y0:y1, x0:x1]].transpose(2, 0, 1)
    windows = _score(_written(agreeing, tmp_path / "windows"), drawn_data, tmp_path)
    assert _score(folder, drawn_data, tmp_path).confusion == windows.confusion


def test_values_are_named_by_a_file(made, ran, drawn_data, tmp_path):
    names = load_protocol().vocabulary("isaid").class_names
    shifted = {image_id: np.concatenate([scores[:1] - 1e6, scores]) for image_id, scores in made.items()}
    vocabulary = tmp_path / "mine.yaml"
    vocabulary.write_text("0: null\n" + "".join(f"{index + 1}: {name.upper()}\n" for index, name in enumerate(names)))
    for form in ("PNG, indices", "NPZ, scores"):
        record = _score(_written(shifted, tmp_path / form, form), drawn_data, tmp_path, vocabulary=vocabulary)
        assert record.confusion == ran.confusion
        assert record.predictions.vocabulary_file == "mine.yaml"


def test_missing_files_are_one_sentence_and_allowed_only_with_a_mark(made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p")
    gone = sorted(made)[:2]
    for image_id in gone:
        (folder / f"{image_id}.png").unlink()
    with pytest.raises(DataError, match=rf"no file for 2 of {len(made)} images of isaid \({gone[0]}, {gone[1]}\)"):
        _score(folder, drawn_data, tmp_path)
    record = _score(folder, drawn_data, tmp_path, allow_missing=True)
    assert record.dataset.images == len(made) - 2
    assert record.dataset.partial
    assert record.dataset.partial_reasons[-1] == f"2 of {len(made)} images have no prediction"
    assert not record.is_complete


def test_files_of_no_image_are_one_sentence(made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p")
    Image.new("L", (256, 256)).save(folder / "stranger.png")
    (folder / "notes.txt").write_text("left alone")
    with pytest.raises(DataError, match=r"holds 1 file\(s\) that belong to no image of isaid \(stranger.png\)"):
        _score(folder, drawn_data, tmp_path)
    assert _score(folder, drawn_data, tmp_path, allow_extra=True).dataset.images == len(made)


def test_all_wrong_sizes_and_all_strange_values_are_told_at_once(made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p")
    first, second, third = sorted(made)[:3]
    Image.new("L", (10, 20)).save(folder / f"{first}.png")
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    for image_id in (second, third):
        Image.fromarray(np.full((256, 256), 77, np.uint8)).save(folder / f"{image_id}.png")
    labelled = [
        sample.id
        for index, sample in enumerate(dataset.samples)
        if sample.id in (second, third) and (dataset.label(index) != 255).any()
    ]
    with pytest.raises(DataError) as raised:
        _score(folder, drawn_data, tmp_path)
    assert f"1 prediction(s) do not have the size of their image: {first}.png has 20x10" in str(raised.value)
    assert f"{len(labelled)} prediction(s) hold values that mean none of the 15 classes" in str(raised.value)
    assert "value 77 at row" in str(raised.value)
    assert not (tmp_path / "results").exists()


def test_what_stands_where_the_truth_is_ignored_does_not_matter(made, ran, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p")
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    for index, sample in enumerate(dataset.samples):
        labels = np.where(dataset.label(index) == 255, 200, _labels(made[sample.id])).astype(np.uint8)
        Image.fromarray(labels).save(folder / f"{sample.id}.png")
    assert _score(folder, drawn_data, tmp_path).confusion == ran.confusion


def test_scores_of_another_shape_than_their_image_are_refused(made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p", "NPZ, scores")
    first = min(made)
    np.savez(folder / f"{first}.npz", scores=made[first][:, :, :60])
    with pytest.raises(DataError, match="do not have the size"):
        _score(folder, drawn_data, tmp_path)
    np.savez(folder / f"{first}.npz", scores=made[first][:5])
    with pytest.raises(DataError, match="scores of 5 classes, but the vocabulary has 15"):
        _score(folder, drawn_data, tmp_path)
    np.savez(folder / f"{first}.npz", scores=made[first] * np.nan)
    with pytest.raises(EvaluationError, match="NaN or infinity"):
        _score(folder, drawn_data, tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train_set": "dlsrd"}, "Did you mean 'dlrsd'"),
        ({"source": "weights of /home/ann/best.pth"}, "holds a path"),
        ({"model_name": " "}, "is empty"),
        ({"protocol": "ovrisisbench-v1-heldout"}, "say with --train-set"),
    ],
)
def test_what_is_said_of_the_model_is_checked(options, words, made, drawn_data, tmp_path):
    with pytest.raises(AdapterError, match=words):
        _score(_written(made, tmp_path / "p"), drawn_data, tmp_path, **options)


def test_two_files_of_one_image_are_refused(made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p")
    (folder / "more").mkdir()
    np.save(folder / "more" / f"{min(made)}.npy", np.zeros((256, 256), np.uint8))
    with pytest.raises(DataError, match="are two predictions of one image"):
        _score(folder, drawn_data, tmp_path)


class _Hears(ScoreReport):
    def __init__(self) -> None:
        self.notes = []

    def note(self, sentence) -> None:
        self.notes.append(sentence)


def test_files_of_images_that_the_protocol_leaves_out_are_not_extra(made, drawn_data, tmp_path):
    report = _Hears()
    record = _score(
        _written(made, tmp_path / "p"),
        drawn_data,
        tmp_path,
        protocol="ovrisisbench-v1-heldout",
        train_set="isaid",
        report=report,
    )
    assert record.dataset.images < len(made)
    left = len(made) - record.dataset.images
    assert report.notes == [f"{left} file(s) are of images that the protocol does not test; they are not scored."]


def test_label_maps_are_scored_without_torch(made, drawn_data, tmp_path):
    folder = _written(made, tmp_path / "p")
    arguments = ["score", "--predictions", str(folder), "--dataset", "isaid", "--model-name", "Mine"]
    arguments += ["--data", str(drawn_data), "--results", str(tmp_path / "results"), "--json"]
    code = (
        "import sys\nfrom ovrisisbench.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print('TORCH' if 'torch' in sys.modules else 'LIGHT')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    text, _, last = done.stdout.rstrip().rpartition("\n")
    assert last == "LIGHT"
    assert json.loads(text)["model"]["kind"] == "predictions"
