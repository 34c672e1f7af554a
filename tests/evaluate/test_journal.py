"""What is in the journal survives any kill; half a line does not count."""

import numpy as np
import pytest

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.image_counts import ImageCounts, summed_confusion
from ovrisisbench.evaluate.journal import Journal, remove_journals


def _image(name: str, pixels: int = 4) -> ImageCounts:
    return ImageCounts.from_confusion(name, np.array([[pixels, 0], [1, 0]], np.int64), 12.5)


def test_finished_images_come_back_with_counts_and_time(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append(_image("a"))
    with Journal(tmp_path / "j") as journal:
        found = journal.finished()
    assert list(found) == ["a"]
    assert found["a"].cells.tolist() == [[0, 0, 4], [1, 0, 1]]
    assert found["a"].milliseconds == 12.5


def test_an_image_without_labelled_pixels_is_finished_too(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append(ImageCounts.from_confusion("empty", np.zeros((2, 2), np.int64), 1.0))
        assert journal.finished()["empty"].cells.shape == (0, 3)


def test_half_a_line_of_a_killed_process_is_dropped_and_the_rest_kept(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append(_image("a"))
        journal.append(_image("b"))
    path = tmp_path / "j" / "finished-0.jsonl"
    path.write_bytes(path.read_bytes()[:-7])
    with Journal(tmp_path / "j") as journal:
        assert list(journal.finished()) == ["a"]
        journal.append(_image("b", pixels=9))
        assert journal.finished()["b"].cells[0].tolist() == [0, 0, 9]


def test_parts_of_several_processes_are_read_together(tmp_path):
    for rank, name in enumerate("abc"):
        with Journal(tmp_path / "j", rank=rank) as journal:
            journal.append(_image(name))
    with Journal(tmp_path / "j", rank=0) as journal:
        assert sorted(journal.finished()) == ["a", "b", "c"]


def test_two_runs_cannot_write_one_journal(tmp_path):
    with Journal(tmp_path / "j"), pytest.raises(EvaluationError, match="Another run is measuring the same thing"):
        Journal(tmp_path / "j").__enter__()


def test_a_removed_journal_is_empty(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.append(_image("a"))
    remove_journals(tmp_path / "j")
    with Journal(tmp_path / "j") as journal:
        assert journal.finished() == {}


def test_counts_add_up():
    total = summed_confusion([_image("a"), _image("b", pixels=6)], 2)
    assert total.tolist() == [[10, 0], [2, 0]]
    assert total.dtype == np.int64
