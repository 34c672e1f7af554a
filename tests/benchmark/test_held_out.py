"""A held-out test set holds nothing that training has seen, and every record says how much that was."""

import shutil
from pathlib import Path

import h5py
import pytest
from click.testing import CliRunner

from ovrisisbench.benchmark import RunReport, run
from ovrisisbench.cli import cli
from ovrisisbench.errors import AdapterError, DataError
from ovrisisbench.prepare import prepare
from ovrisisbench.records import read_record_counts, read_records
from tests.drawn.isaid import draw_unsplit_bundle
from tests.drawn.seen import like, picture, write_seen

LEARNED = f"{Path(__file__).parent / 'learned.py'}:Learned"
HELD_OUT = "ovrisisbench-v1-heldout"

TRAINING = {
    "t0": ("train", picture(0)),
    "t1": ("train", picture(1)),
    "t2": ("train", picture(2)),
    "v0": ("val", picture(0)),  # pixels of t0
    "v1": ("val", like(picture(1))),  # looks like t1
    "v3": ("val", picture(3)),
    "v4": ("val", picture(4)),
}
"""A training set with copies across its splits; training has seen all but v3 and v4."""
OTHER = {
    "a": ("train", picture(10)),
    "b": ("val", like(picture(2))),  # looks like t2
    "c": ("val", picture(1)),  # pixels of t1
    "d": ("train", picture(3)),  # pixels of v3, which is not for training
}
"""Another data set; training has seen b and c."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder with a prepared training set and another data set; not to be written into."""
    folder = tmp_path_factory.mktemp("data")
    write_seen(folder, "dlrsd", TRAINING)
    write_seen(folder, "vdd", OTHER)
    return folder


def measured(data: Path, results: Path, **options):
    """Run the quick model as trained on DLRSD; records by data set."""
    options = {"train_set": "dlrsd", "untrained": True, "protocol": HELD_OUT, **options}
    records = run(options.pop("model", LEARNED), data=data, results=results, device="cpu", **options)
    return {record.dataset.key: record for record in records}


def ids_of(record, results: Path) -> tuple[str, ...]:
    (path,) = results.rglob(f"{record.stem}.record.json")
    return read_record_counts(record, path.parent).ids


def test_copies_of_training_images_are_held_out_of_the_training_set(data, tmp_path):
    record = measured(data, tmp_path)["dlrsd"]
    assert ids_of(record, tmp_path) == ("v3", "v4")
    seen = record.dataset.seen_in_training
    assert (seen.by_split, seen.exact, seen.near, seen.images, seen.of) == (3, 1, 1, 5, 7)
    assert (seen.train_set, seen.train_images, seen.distance, seen.left_out) == ("dlrsd", 3, 32, True)
    assert (record.dataset.images, record.dataset.images_total, record.dataset.limited) == (2, 2, False)


def test_copies_of_training_images_are_held_out_of_other_data_sets(data, tmp_path):
    record = measured(data, tmp_path)["vdd"]
    assert ids_of(record, tmp_path) == ("a", "d")
    seen = record.dataset.seen_in_training
    assert (seen.by_split, seen.exact, seen.near) == (0, 1, 1)


def test_the_plain_protocol_tests_everything_and_says_what_training_has_seen(data, tmp_path):
    records = measured(data, tmp_path, protocol="ovrisisbench-v1")
    assert ids_of(records["dlrsd"], tmp_path) == tuple(TRAINING)
    assert ids_of(records["vdd"], tmp_path) == tuple(OTHER)
    for key, images in (("dlrsd", (5, 7)), ("vdd", (2, 4))):
        seen = records[key].dataset.seen_in_training
        assert (seen.images, seen.of, seen.left_out) == (*images, False)


def test_models_that_were_not_trained_are_tested_on_everything(data, tmp_path):
    records = measured(data, tmp_path, model="random", train_set=None, untrained=False)
    assert [record.dataset.images for record in records.values()] == [7, 4]
    assert all(record.dataset.seen_in_training is None for record in records.values())
    floors_alone = shutil.copytree(data, tmp_path / "alone")
    (floors_alone / "dlrsd.h5").unlink()
    assert measured(floors_alone, tmp_path, model="random", train_set=None, untrained=False)["vdd"].dataset.images == 4


def test_a_limited_run_is_spread_over_what_is_left(data, tmp_path):
    record = measured(data, tmp_path, limit=1)["vdd"]
    assert (record.dataset.images, record.dataset.images_total, record.dataset.limited) == (1, 2, True)


@pytest.fixture
def without_training_set(data, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(data / "vdd.h5", folder)
    return folder


def refused(data, results, match, **options):
    with pytest.raises(DataError, match=match) as caught:
        measured(data, results, **options)
    assert "\n" not in str(caught.value)
    assert not results.exists(), "nothing is measured before it is refused"


def unknown(data, results):
    """Under the plain protocol the same is no reason to refuse; what training has seen is not known."""
    records = measured(data, results, protocol="ovrisisbench-v1", datasets=["vdd"])
    assert records["vdd"].dataset.seen_in_training is None


def test_a_missing_training_set_is_named(without_training_set, tmp_path):
    refused(
        without_training_set,
        tmp_path / "results",
        r"dlrsd\.h5 does not exist, but .* leaves out what the model has seen in training.*"
        "'ovrisis-bench prepare dlrsd --variant bundle-7002 --from DOWNLOAD",
    )
    unknown(without_training_set, tmp_path / "results")


def test_a_training_set_without_splits_is_refused(without_training_set, tmp_path):
    write_seen(without_training_set, "dlrsd", {name: ("all", image) for name, (_, image) in TRAINING.items()})
    refused(without_training_set, tmp_path / "results", "prepared from a download without splits")
    unknown(without_training_set, tmp_path / "results")


def test_a_training_set_without_its_training_split_is_refused(without_training_set, tmp_path):
    write_seen(without_training_set, "dlrsd", {"v3": TRAINING["v3"]})
    refused(without_training_set, tmp_path / "results", "prepared without its training split")
    unknown(without_training_set, tmp_path / "results")


def test_a_training_set_of_an_older_format_is_refused_only_where_it_is_needed(data, without_training_set, tmp_path):
    shutil.copy(data / "dlrsd.h5", without_training_set)
    with h5py.File(without_training_set / "dlrsd.h5", "r+") as file:
        file.attrs["format_version"] = 1
    refused(
        without_training_set,
        tmp_path / "results",
        "older format .* prepare it again with --overwrite",
        datasets=["vdd"],
    )
    unknown(without_training_set, tmp_path / "results")


def test_the_unsplit_download_that_prepare_reads_is_refused_as_a_training_set(tmp_path):
    draw_unsplit_bundle(tmp_path / "download")
    prepare("isaid", tmp_path / "download", tmp_path / "data", allow_partial=True, workers=1)
    refused(tmp_path / "data", tmp_path / "results", "prepared from a download without splits", train_set="isaid")


def test_a_test_set_without_splits_is_compared_by_its_pixels(data, tmp_path):
    folder = shutil.copytree(data, tmp_path / "data")
    write_seen(folder, "vdd", {name: ("all", image) for name, (_, image) in OTHER.items()})
    assert ids_of(measured(folder, tmp_path)["vdd"], tmp_path) == ("a", "d")


def test_nothing_left_to_test_is_an_error_that_says_how_to_go_on(data, tmp_path):
    folder = shutil.copytree(data, tmp_path / "data")
    write_seen(folder, "vdd", {"b": OTHER["b"], "c": OTHER["c"]})
    refused(folder, tmp_path / "results", r"Nothing of .*vdd\.h5 is left to test.* all of its 2 images.*--datasets")
    assert set(measured(folder, tmp_path / "results", datasets=["dlrsd"])) == {"dlrsd"}


def test_a_partial_training_set_makes_held_out_records_partial(data, tmp_path):
    folder = shutil.copytree(data, tmp_path / "data")
    write_seen(folder, "dlrsd", TRAINING, partial=True)
    record = measured(folder, tmp_path)["vdd"]
    assert record.dataset.partial_reasons == (
        "training set dlrsd is partial, so not all that was seen in training could be left out",
    )
    assert not record.is_complete
    assert record.dataset.seen_in_training.train_partial
    plain = measured(folder, tmp_path, protocol="ovrisisbench-v1")["vdd"]
    assert plain.is_complete


class _Hears(RunReport):
    def __init__(self, stop_after: int | None = None) -> None:
        self.replaced, self.stop_after = 0, stop_after

    def replace(self, old, new) -> None:
        self.replaced += 1

    def progress(self, finished, wanted) -> None:
        if finished == self.stop_after:
            raise KeyboardInterrupt


def test_learning_later_what_training_has_seen_is_the_same_run(data, without_training_set, tmp_path):
    report = _Hears()
    results = tmp_path / "results"
    before = measured(without_training_set, results, protocol="ovrisisbench-v1", report=report)["vdd"]
    shutil.copy(data / "dlrsd.h5", without_training_set)
    after = measured(without_training_set, results, protocol="ovrisisbench-v1", datasets=["vdd"], report=report)["vdd"]
    assert before.dataset.seen_in_training is None
    assert after.dataset.seen_in_training.images == 2
    assert after.stem == before.stem
    assert report.replaced == 0
    assert len(read_records(results)) == 1


def _with_another_training_set(data, folder):
    """The same test set, and a training set that has seen one image less of it."""
    folder.mkdir()
    shutil.copy(data / "vdd.h5", folder)
    write_seen(folder, "dlrsd", {name: image for name, image in TRAINING.items() if name != "t2"})
    return folder


def test_another_selection_of_the_same_images_is_another_run(data, tmp_path):
    other = _with_another_training_set(data, tmp_path / "other")
    one = measured(data, tmp_path / "results")["vdd"]
    two = measured(other, tmp_path / "results")["vdd"]
    assert ids_of(two, tmp_path / "results") == ("a", "b", "d")
    assert one.stem != two.stem
    assert one.dataset.digest == two.dataset.digest
    assert {record.stem for record in read_records(tmp_path / "results")} >= {one.stem, two.stem}


def test_a_journal_of_another_selection_adds_and_removes_no_image(data, tmp_path):
    other = _with_another_training_set(data, tmp_path / "other")
    expected = measured(data, tmp_path / "clean", datasets=["vdd"])["vdd"]
    with pytest.raises(KeyboardInterrupt):
        measured(other, tmp_path / "results", datasets=["vdd"], batch_size=2, report=_Hears(stop_after=2))
    (journal,) = (tmp_path / "results").rglob("finished-*.jsonl")
    assert '"id":"b"' in journal.read_text(), "the journal holds an image that the next run must not count"
    record = measured(data, tmp_path / "results", datasets=["vdd"])["vdd"]
    assert record.run.resumed_images == 1
    assert ids_of(record, tmp_path / "results") == ("a", "d")
    assert record.result_digest() == expected.result_digest()


def test_other_variants_are_measured_under_a_protocol_of_their_own(data, tmp_path):
    folder = shutil.copytree(data, tmp_path / "data")
    write_seen(folder, "loveda", {"x": ("train", picture(20))})
    write_seen(folder, "loveda", {"y": ("train", picture(21)), "z": ("val", picture(22))}, variant="v2-7-classes")
    options = {"datasets": ["loveda"], "protocol": "ovrisisbench-v1"}
    plain = measured(folder, tmp_path, **options)["loveda"]
    derived = measured(folder, tmp_path, **{**options, "protocol": "ovrisisbench-v1+loveda:v2-7-classes"})["loveda"]
    assert (plain.dataset.variant, plain.dataset.images) == ("v1-8-classes", 1)
    assert (derived.dataset.variant, derived.dataset.images) == ("v2-7-classes", 2)
    assert derived.protocol.name == "ovrisisbench-v1+loveda:v2-7-classes"
    assert len(derived.vocabulary.class_names) == 7
    assert {path.parent.name for path in tmp_path.rglob("*.record.json")} == {
        f"ovrisisbench-v1-{plain.protocol.id}",
        f"ovrisisbench-v1-loveda-v2-7-classes-{derived.protocol.id}",
    }


def test_a_variant_that_is_not_prepared_is_named_with_its_option(data, tmp_path):
    refused(
        data,
        tmp_path / "results",
        r"loveda is not prepared .*'ovrisis-bench prepare loveda --variant v2-7-classes --from DOWNLOAD",
        datasets=["loveda"],
        protocol="ovrisisbench-v1+loveda:v2-7-classes",
    )


def test_the_training_set_must_still_be_one_of_the_protocol(data, tmp_path):
    with pytest.raises(AdapterError, match="not a training set"):
        measured(data, tmp_path, train_set="vdd")


def said(data: Path, results: Path, protocol: str) -> str:
    arguments = ["run", "--model", LEARNED, "--untrained", "--train-set", "dlrsd", "--data", data, "--results", results]
    arguments += ["--device", "cpu", "--protocol", protocol]
    done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stderr


def test_the_command_says_how_many_test_images_were_seen(data, without_training_set, tmp_path):
    plain = said(data, tmp_path / "results", "ovrisisbench-v1")
    assert "5 of 7 test images were seen in training (3 of its split, 1 with equal pixels, 1 alike)" in plain
    assert "2 of 4 test images were seen in training (1 with equal pixels, 1 alike)" in plain
    held_out = said(data, tmp_path / "results", HELD_OUT)
    assert "5 of 7 test images were seen in training, and left out (3 of its split" in held_out
    nothing_known = said(without_training_set, tmp_path / "other", "ovrisisbench-v1")
    assert "seen in training is unknown: dlrsd is not prepared here with its splits" in nothing_known


def _mini(data: Path, folder: Path) -> Path:
    """The same pictures as a training set of the mini world and as one of its other data sets."""
    write_seen(folder, "mini-dlrsd", TRAINING)
    write_seen(folder, "mini-vdd", OTHER)
    return folder


def test_a_protocol_can_leave_out_training_images_for_every_model(data, tmp_path):
    folder = _mini(data, tmp_path / "data")
    floors = measured(
        folder, tmp_path / "results", model="most-frequent", train_set=None, untrained=False,
        protocol="ovrisisbench-mini-v1",
    )  # fmt: skip
    assert ids_of(floors["mini-dlrsd"], tmp_path / "results") == ("v0", "v1", "v3", "v4")
    assert floors["mini-dlrsd"].dataset.images_total == 4
    assert floors["mini-dlrsd"].dataset.seen_in_training is None
    assert ids_of(floors["mini-vdd"], tmp_path / "results") == ("a", "b", "c", "d")


def test_the_training_set_tells_the_protocol_and_copies_are_held_out_besides(data, tmp_path):
    folder = _mini(data, tmp_path / "data")
    found = measured(folder, tmp_path / "results", train_set="mini-dlrsd", protocol=None)
    record = found["mini-dlrsd"]
    assert record.protocol.name == "ovrisisbench-mini-v1"
    assert ids_of(record, tmp_path / "results") == ("v3", "v4")
    seen = record.dataset.seen_in_training
    assert (seen.of, seen.by_split, seen.exact, seen.near) == (4, 0, 1, 1)
    assert ids_of(found["mini-vdd"], tmp_path / "results") == ("a", "d")


def test_data_without_anything_but_training_images_are_refused_where_those_are_not_tested(tmp_path):
    write_seen(
        tmp_path / "data", "mini-dlrsd", {name: entry for name, entry in TRAINING.items() if entry[0] == "train"}
    )
    with pytest.raises(DataError, match="nothing but images for training"):
        run("random", data=tmp_path / "data", results=tmp_path, device="cpu", protocol="ovrisisbench-mini-v1")


def test_the_command_says_which_protocol_the_training_set_means(data, tmp_path):
    folder = _mini(data, tmp_path / "data")
    arguments = ["run", "--model", LEARNED, "--train-set", "mini-dlrsd", "--untrained", "--data", str(folder)]
    result = CliRunner().invoke(cli, [*arguments, "--results", str(tmp_path / "results"), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert "Protocol ovrisisbench-mini-v1: the one that has the training set mini-dlrsd." in result.output
