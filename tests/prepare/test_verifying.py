"""``verify`` finds whatever is not as it was prepared, in every file, and nothing else."""

import hashlib
import json
import shutil

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from ovrisisbench.cli import cli, main
from ovrisisbench.errors import DataError
from ovrisisbench.prepare import verify
from ovrisisbench.prepare.storage import verifying
from ovrisisbench.prepare.storage.verifying import DamagedSample
from tests.drawn.prepared_file import drawn_sample, noise, write_prepared

IMAGES = {f"i{number}": noise(number, 20 + number, 30) for number in range(6)}
SOURCES = {name: drawn_sample(name, *arrays).source for name, arrays in IMAGES.items()}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data") / "loveda.h5", IMAGES)


@pytest.fixture
def copy(original, tmp_path):
    return shutil.copyfile(original, tmp_path / "copy.h5")


def damage(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)
    return path


def flip(group, name, value=1):
    def edit(file):
        array = file[group][SOURCES[name]]
        array[(3, 4) if array.ndim == 2 else (3, 4, 1)] ^= value

    return edit


def rewrite_manifest(change):
    def edit(file):
        manifest = json.loads(file["manifest"][()].tobytes())
        change(manifest)
        content = json.dumps(manifest).encode()
        del file["manifest"]
        file["manifest"] = np.frombuffer(content, np.uint8)
        file.attrs["manifest_sha256"] = hashlib.sha256(content).hexdigest()

    return edit


def replace(group, name, array):
    def edit(file):
        del file[group][SOURCES[name]]
        if array is not None:
            file[group][SOURCES[name]] = array

    return edit


def test_an_untouched_file_is_intact(original):
    (report,) = verify([original], workers=1)
    assert report.intact
    assert (report.samples, report.checked, report.damaged, report.findings, report.problem) == (6, 6, (), (), "")
    assert (report.dataset, report.variant) == ("loveda", "v1-8-classes")


def test_what_prepare_wrote_is_intact(prepared):
    (report,) = verify([prepared.path], workers=1)
    assert report.intact
    assert report.checked == len(prepared)


def test_all_damaged_samples_are_named_in_order_with_what_differs(copy):
    damage(copy, flip("images", "i4"))
    damage(copy, flip("labels", "i1", value=255))
    damage(copy, flip("images", "i1"))
    (report,) = verify([copy], workers=1)
    assert not report.intact
    assert report.checked == 6
    first, second = report.damaged
    assert (first.id, second.id) == ("i1", "i4")
    assert first.problems[:3] == (
        "pixels differ from their digest",
        "labels differ from their digest",
        "the histogram differs from the label map",
    )
    assert first.problems[3].endswith("is none of the 8 classes")
    assert second.problems == ("pixels differ from their digest",)


def test_a_wrong_histogram_beside_right_labels_is_found(copy):
    # The sums of the manifest still hold: two samples of equal size have exchanged their histograms.
    images = {"a": noise(1, 8, 8), "b": noise(2, 8, 8)}
    samples = [drawn_sample(name, *arrays) for name, arrays in images.items()]
    histograms = [sample.histogram for sample in samples]
    swapped = [
        sample.model_copy(update={"histogram": other})
        for sample, other in zip(samples, reversed(histograms), strict=True)
    ]
    (report,) = verify([write_prepared(copy, images, samples=swapped)], workers=1)
    assert {sample.problems for sample in report.damaged} == {("the histogram differs from the label map",)}
    assert len(report.damaged) == 2


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (replace("images", "i2", None), f"/images/{SOURCES['i2']} is missing"),
        (replace("labels", "i2", np.zeros((3, 3), np.uint8)), f"/labels/{SOURCES['i2']} is too small"),
        (replace("labels", "i2", np.zeros((22, 30), np.int16)), f"/labels/{SOURCES['i2']} is int16 of shape (22, 30)"),
        (replace("images", "i2", np.zeros((22, 30), np.uint8)), f"/images/{SOURCES['i2']} is uint8 of shape (22, 30)"),
        (
            replace("labels", "i2", np.pad(IMAGES["i2"][1], ((0, 1), (0, 0)))),
            f"/images/{SOURCES['i2']} and /labels/{SOURCES['i2']} differ in size",
        ),
    ],
)
def test_arrays_of_the_wrong_kind_are_reported_for_their_sample_alone(copy, edit, problem):
    (report,) = verify([damage(copy, edit)], workers=1)
    assert report.damaged == (DamagedSample(id="i2", problems=(problem,)),)
    assert report.checked == 6


def test_a_block_that_cannot_be_decompressed_costs_its_own_sample_only(copy):
    def edit(file):
        del file["images"][SOURCES["i3"]]
        array = file["images"].create_dataset(
            SOURCES["i3"], data=IMAGES["i3"][0], chunks=IMAGES["i3"][0].shape, compression="gzip"
        )
        return array.id.get_chunk_info(0).byte_offset

    with h5py.File(copy, "r+") as file:
        offset = edit(file)
    with copy.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xff" * 64)
    (report,) = verify([copy], workers=1)
    (sample,) = report.damaged
    assert sample.id == "i3"
    assert "cannot be read" in sample.problems[0]
    assert "\n" not in sample.problems[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest: manifest.update(counts={"train": 5}), "counts: does not follow"),
        (lambda manifest: manifest.update(digest="0" * 64), "digest: does not follow"),
        (lambda manifest: manifest["class_pixels"].__setitem__(0, 1), "class_pixels: does not follow"),
    ],
)
def test_a_manifest_that_does_not_hold_together_is_a_problem(copy, change, words):
    (report,) = verify([damage(copy, rewrite_manifest(change))], workers=1)
    assert words in report.problem
    assert (report.intact, report.checked) == (False, 0)


def test_a_manifest_that_was_edited_without_its_digest_is_a_problem(copy):
    (report,) = verify([damage(copy, lambda file: file.attrs.__setitem__("manifest_sha256", "0" * 64))], workers=1)
    assert "was changed after it was written" in report.problem


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda manifest: manifest.update(rules_digest="0" * 64), "by other rules than those of the installed card"),
        (lambda manifest: manifest.update(dataset="lovedata"), "Did you mean 'loveda'"),
        (lambda manifest: manifest.update(variant="v9"), "has no variant 'v9'"),
        (lambda manifest: manifest["class_names"].reverse(), "its class names are not those of the vocabulary"),
    ],
)
def test_other_rules_are_a_finding_and_the_pixels_are_checked_all_the_same(copy, change, finding):
    (report,) = verify([damage(copy, rewrite_manifest(change))], workers=1)
    assert not report.intact
    assert finding in report.findings[0]
    assert report.checked == 6
    assert report.damaged == ()


def test_one_unreadable_file_does_not_hide_the_others(original, copy, tmp_path):
    half = tmp_path / "half.h5"
    half.write_bytes(original.read_bytes()[:3000])
    damage(copy, flip("labels", "i0"))
    reports = verify([half, tmp_path / "absent.h5", copy, original], workers=1)
    assert [report.intact for report in reports] == [False, False, False, True]
    assert "only a part of one" in reports[0].problem
    assert "does not exist" in reports[1].problem
    assert [sample.id for sample in reports[2].damaged] == ["i0"]


def test_a_file_that_is_replaced_meanwhile_is_not_called_intact(copy, monkeypatch):
    def replaced(function, jobs, **rest):
        damage(copy, lambda file: file.attrs.__setitem__("manifest_sha256", "0" * 64))
        return run_jobs(function, jobs, **rest)

    run_jobs = verifying.run_jobs
    monkeypatch.setattr(verifying, "run_jobs", replaced)
    (report,) = verify([copy], workers=1)
    assert not report.intact
    assert "was replaced while it was read" in report.problem


def test_workers_and_chunks_change_nothing(original, copy, monkeypatch):
    damage(copy, flip("images", "i5"))
    damage(copy, flip("labels", "i2"))
    alone = verify([copy, original], workers=1)
    monkeypatch.setattr(verifying, "_CHUNK_BYTES", 1)
    told = []
    assert verify([copy, original], workers=2, progress=lambda *step: told.append(step)) == alone
    assert told[:2] == [(str(copy), 0, 6), (str(original), 0, 6)]
    assert {(str(copy), 6, 6), (str(original), 6, 6)} <= set(told)
    assert len(told) == 14


def _interrupt(_job):
    raise KeyboardInterrupt


def test_ctrl_c_ends_the_check(original, monkeypatch):
    monkeypatch.setattr(verifying, "_check", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        verify([original], workers=1)


def _kill_self(_job):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_one_sentence(original, monkeypatch):
    monkeypatch.setattr(verifying, "_CHUNK_BYTES", 1)
    monkeypatch.setattr(verifying, "_check", _kill_self)
    with pytest.raises(DataError, match="verify again with fewer --workers"):
        verify([original], workers=2)


def test_the_command_says_intact_and_exits_0(original):
    done = CliRunner().invoke(cli, ["verify", str(original), "--workers", "1"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "intact: 6 of 6 images read" in done.output


def test_the_command_lists_bad_images_cut_with_a_count_and_exits_2(tmp_path, capsys):
    images = {f"[red]{number}": noise(number, 4, 4) for number in range(13)}
    path = write_prepared(tmp_path / "bad.h5", images)
    with h5py.File(path, "r+") as file:
        for array in file["images"].values():
            array[0, 0, 0] ^= 1
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(path), str(tmp_path / "absent.h5")])
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert "0 of 13" not in captured.out
    assert "13 of 13 images read, 13 damaged" in captured.out
    assert "[red]0: pixels differ from their digest" in captured.out
    assert "and 3 more damaged images" in captured.out
    assert "not readable" in captured.out
    assert captured.err.startswith("error: 2 of 2 file(s) did not pass")
    assert len(captured.err.splitlines()) == 1


def test_json_lists_every_damaged_image(copy, capsys):
    damage(copy, flip("images", "i5"))
    with pytest.raises(SystemExit) as stopped:
        main(["verify", str(copy), "--json"])
    assert stopped.value.code == 2
    content = json.loads(capsys.readouterr().out)
    assert content["intact"] is False
    (report,) = content["files"]
    assert report["damaged"] == [{"id": "i5", "problems": ["pixels differ from their digest"]}]
    assert set(report) == {*verifying.VerifyReport.model_fields, "intact"}
