"""Interrupted, repeated, crowded out: the prepared file is whole or not there, and always the same."""

import errno
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import h5py
import pytest
from filelock import FileLock

from ovrisisbench.errors import DataError, OvrisisBenchError
from ovrisisbench.prepare import PreparedDataset, prepare
from ovrisisbench.prepare.conversion import parts
from ovrisisbench.prepare.workers import run_jobs
from tests.drawn import isaid

EACH_SCENE = "ovrisisbench.prepare.layouts.interface._UNIT_BYTES"
"""Small scenes are converted together; here each shall be a part of its own."""


@pytest.fixture(autouse=True)
def _each_scene(monkeypatch):
    monkeypatch.setattr(EACH_SCENE, 0)


ROOT = Path(__file__).parents[2]


def hidden(folder):
    """Everything that a run left behind, except the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(".") and path.suffix != ".lock")


def run_script(folder, body, *arguments, **options):
    """Start a Python process that may spawn workers of its own."""
    script = folder / "script.py"
    head = "import os, signal, sys\nfrom pathlib import Path\nfrom ovrisisbench.prepare.layouts import interface\n"
    script.write_text(head + "interface._UNIT_BYTES = 0\n" + textwrap.dedent(body))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False, **options)


KILLED_AFTER_TWO = """
    from ovrisisbench.prepare import prepare
    from tests.drawn.isaid import drawn_card

    def progress(phase, done, total):
        if phase == "convert" and done == 2:
            print(" ".join(open(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read().split()), flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        prepare("isaid", Path(sys.argv[1]), Path(sys.argv[2]), workers=2, progress=progress, card=drawn_card())
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for orphaned workers in /proc")
def test_kill_minus_nine_loses_nothing_and_leaves_no_worker(drawn, card, prepared, tmp_path):
    data = tmp_path / "data"
    killed = run_script(tmp_path, KILLED_AFTER_TWO, drawn, data)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (data / "isaid.h5").exists()
    workers = [int(pid) for pid in killed.stdout.split()]
    assert len(workers) >= 2
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}/stat").exists() and _running(pid) for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.1)
    report = prepare("isaid", drawn, data, workers=1, card=card)
    assert report.parts_reused >= 2
    assert PreparedDataset(report.target).manifest == prepared.manifest
    assert hidden(data) == []


def _running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


KILLED_WHILE_ASSEMBLING = """
    from ovrisisbench.prepare import prepare
    from tests.drawn.isaid import drawn_card

    def progress(phase, done, total):
        if phase == "assemble" and done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        prepare("isaid", Path(sys.argv[1]), Path(sys.argv[2]), workers=1, progress=progress, card=drawn_card())
"""


def test_a_kill_while_assembling_leaves_no_half_file(drawn, card, prepared, tmp_path):
    data = tmp_path / "data"
    assert run_script(tmp_path, KILLED_WHILE_ASSEMBLING, drawn, data).returncode == -signal.SIGKILL
    assert not (data / "isaid.h5").exists()
    assert any(".tmp-" in name for name in hidden(data))
    report = prepare("isaid", drawn, data, workers=1, card=card)
    assert report.parts_reused == 4
    assert report.digest == prepared.manifest.digest
    assert hidden(data) == []


INTERRUPTED = """
    from ovrisisbench.cli import main
    from ovrisisbench.prepare import preparation

    def interrupting(function, jobs, *, workers, done):
        def count(job, result):
            done(job, result)
            os.kill(os.getpid(), signal.SIGINT)
        original(function, jobs, workers=workers, done=count)

    original = preparation.run_jobs
    if __name__ == "__main__":
        preparation.run_jobs = interrupting
        download, data, workers = sys.argv[1:]
        main(["prepare", "isaid", "--from", download, "--to", data, "--allow-partial", "--workers", workers])
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_exits_130_with_one_line(drawn, card, prepared, tmp_path, workers):
    data = tmp_path / "data"
    stopped = run_script(tmp_path, INTERRUPTED, drawn, data, workers)
    assert stopped.returncode == 130, stopped.stderr
    assert len(stopped.stderr.strip().splitlines()) == 1
    assert stopped.stdout == ""
    assert not (data / "isaid.h5").exists()
    report = prepare("isaid", drawn, data, workers=1, card=card)
    assert report.parts_reused >= 1
    assert report.digest == prepared.manifest.digest


@pytest.mark.parametrize("workers", [2, 3])
def test_the_number_of_workers_changes_nothing(drawn, card, prepared, tmp_path, workers):
    report = prepare("isaid", drawn, tmp_path, workers=workers, card=card)
    assert PreparedDataset(report.target).manifest == prepared.manifest


def test_a_changed_file_is_converted_again(download, card, tmp_path, monkeypatch):
    data = tmp_path / "data"

    def stop(job):
        raise DataError("stopped")

    with monkeypatch.context() as changed:
        changed.setattr("ovrisisbench.prepare.preparation.copy_part", lambda job, file: stop(job))
        with pytest.raises(DataError, match="stopped"):
            prepare("isaid", download, data, workers=1, card=card)
    image = download / "val" / "images" / "P0012.png"
    os.utime(image, ns=(1, 1))
    report = prepare("isaid", download, data, workers=1, card=card)
    assert report.parts_reused == 3


def test_a_damaged_part_is_converted_again(download, card, prepared, tmp_path, monkeypatch):
    data = tmp_path / "data"
    with monkeypatch.context() as changed:
        changed.setattr("ovrisisbench.prepare.preparation.read_part", lambda job: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare("isaid", download, data, workers=1, card=card)
    part = next(data.glob(".isaid.h5.parts-*/*.h5"))
    part.write_bytes(part.read_bytes()[:500])
    report = prepare("isaid", download, data, workers=1, card=card)
    assert report.parts_reused == 3
    assert report.digest == prepared.manifest.digest


def test_an_unchanged_file_is_not_made_again(download, card, tmp_path):
    first = prepare("isaid", download, tmp_path / "data", workers=1, card=card)
    before = Path(first.target).stat()
    second = prepare("isaid", download, tmp_path / "data", workers=1, card=card)
    after = Path(first.target).stat()
    assert second.status == "unchanged"
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert second.model_copy(update={"status": "prepared", "findings": first.findings}) == first
    third = prepare("isaid", download, tmp_path / "data", workers=1, card=card, overwrite=True)
    assert third == first
    assert Path(first.target).stat().st_ino != before.st_ino


def test_a_second_call_looks_at_no_picture(download, card, monkeypatch):
    data = download / "data"  # below the download, as when --from is the current folder
    first = prepare("isaid", download, data, workers=1, card=card)
    monkeypatch.setattr("ovrisisbench.prepare.preparation.recognise", lambda *_, **__: 1 / 0)
    second = prepare("isaid", download, data, workers=1, card=card)
    assert second == first.model_copy(update={"status": "unchanged"})
    os.utime(download / "val" / "images" / "P0012.png", ns=(1, 1))
    with pytest.raises(ZeroDivisionError):
        prepare("isaid", download, data, workers=1, card=card)


def test_a_changed_card_is_compared_again(download, card, tmp_path):
    prepare("isaid", download, tmp_path, workers=1, card=card)
    splits = tuple(split.model_copy(update={"labelled": split.labelled and 1}) for split in card.splits)
    report = prepare("isaid", download, tmp_path, workers=1, card=card.model_copy(update={"splits": splits}))
    assert report.status == "unchanged"
    assert any("expected 1 images with masks" in warning for warning in report.warnings) or report.findings


def test_other_files_or_rules_do_not_replace_a_prepared_file_unasked(download, card, tmp_path):
    data = tmp_path / "data"
    first = prepare("isaid", download, data, workers=1, card=card)
    os.utime(download / "val" / "images" / "P0012.png", ns=(1, 1))
    with pytest.raises(DataError, match=r"was made from other files or by other rules; pass --overwrite"):
        prepare("isaid", download, data, workers=1, card=card)
    assert prepare("isaid", download, data, workers=1, card=card, overwrite=True).digest == first.digest


def test_a_broken_file_is_not_replaced_unasked(download, card, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "isaid.h5").write_text("precious notes")
    with pytest.raises(DataError, match=r"exists and cannot be used .*--overwrite"):
        prepare("isaid", download, tmp_path / "data", workers=1, card=card)
    assert (tmp_path / "data" / "isaid.h5").read_text() == "precious notes"


def test_a_partial_file_does_not_pass_for_a_whole_one(download, card, tmp_path):
    wrong = card.variant().model_copy(update={"counts": {**card.variant().counts, "val": 999}})
    changed = card.model_copy(update={"variants": (wrong,)})
    prepare("isaid", download, tmp_path / "data", workers=1, card=changed, allow_partial=True)
    with pytest.raises(DataError, match="is not complete: split val: expected 999"):
        prepare("isaid", download, tmp_path / "data", workers=1, card=changed)


def test_two_at_once_are_kept_apart(drawn, card, tmp_path):
    with (
        FileLock(tmp_path / ".isaid.h5.lock"),
        pytest.raises(DataError, match="Another 'prepare' is writing"),
    ):
        prepare("isaid", drawn, tmp_path, workers=1, card=card)


def test_a_worker_killed_from_outside_is_explained(tmp_path):
    with pytest.raises(DataError, match="lack of memory; start the same command again with fewer --workers than 2"):
        run_jobs(_kill_self, [1, 2], workers=2, done=lambda job, result: None)


def _kill_self(_job):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("failing", ["conversion.parts.convert_unit", "preparation.copy_part"])
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("Unable to flush (file write failed: errno = 28, error message = 'No space left on device')"),
    ],
)
def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(drawn, tmp_path, monkeypatch, failing, error):
    def full(*_):
        raise error

    card = isaid.drawn_card()
    monkeypatch.setattr(f"ovrisisbench.prepare.{failing}", full)
    with pytest.raises(
        DataError, match=r"could not be written: the disk is full; make room .*what is finished is kept"
    ):
        prepare("isaid", drawn, tmp_path, workers=1, card=card)
    assert not (tmp_path / "isaid.h5").exists()
    assert not [name for name in hidden(tmp_path) if ".tmp-" in name]


LIMITED = """
    import resource
    from ovrisisbench.cli import main
    if __name__ == "__main__":
        download, data, limit, workers = sys.argv[1:]
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
        main(["prepare", "isaid", "--from", download, "--to", data, "--allow-partial", "--workers", workers])
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on the size of files")
@pytest.mark.parametrize(("limit", "workers"), [(200_000, 1), (200_000, 2), (900_000, 1)])
def test_a_real_write_error_is_one_sentence(drawn, prepared, tmp_path, limit, workers):
    data = tmp_path / "data"
    failed = run_script(tmp_path, LIMITED, drawn, data, limit, workers)
    assert failed.returncode == 2, failed.stderr
    assert failed.stderr.startswith("error: ")
    assert "larger than this system allows" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
    assert not (data / "isaid.h5").exists()
    report = prepare("isaid", drawn, data, workers=1, card=isaid.drawn_card())
    assert report.digest == prepared.manifest.digest


def test_a_folder_that_cannot_be_written_is_one_sentence(drawn, card, tmp_path):
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(OvrisisBenchError, match="cannot be written"):
        prepare("isaid", drawn, tmp_path / "data", workers=1, card=card)


def test_an_unfinished_part_is_not_taken_for_a_finished_one(tmp_path):
    path = tmp_path / "P0001.h5"
    with h5py.File(path, "w") as file:
        file.attrs["format"] = "ovrisisbench-part"
        file.attrs["format_version"] = parts.FORMAT_VERSION
        file.attrs["identity"] = "same"

    class Unit:
        identity = "same"

    class Job:
        unit = Unit()

    Job.path = path
    assert not parts.part_is_finished(Job)
    with h5py.File(path, "r+") as file:
        file.attrs["complete"] = True
    assert parts.part_is_finished(Job)
