import json

import pytest

from ovrisisbench.errors import RecordError
from ovrisisbench.records import (
    RECORD_SUFFIX,
    read_record,
    read_record_counts,
    read_records,
    record_path,
    write_record,
)
from tests.records.examples import a_model, a_record, a_run, a_table


@pytest.fixture
def written(tmp_path):
    return write_record(a_record(), a_table(), tmp_path / "results")


def edited(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_a_written_record_reads_back_equal(written):
    assert read_record(written) == a_record()


def test_record_and_counts_lie_side_by_side_below_the_protocol_id(written, tmp_path):
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    stem = f"results/ovrisisbench-v1-125d31fc/{a_record().stem}"
    assert names == [f"{stem}.counts.npz", f"{stem}.record.json"]


def test_the_same_record_gives_the_same_bytes(written, tmp_path):
    again = write_record(a_record(), a_table(), tmp_path / "again")
    assert again.read_bytes() == written.read_bytes()
    text = written.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert "    [1, 8, 1],\n" in text  # one line for each row of the confusion matrix


def test_a_repeated_run_replaces_its_own_record_only(tmp_path):
    write_record(a_record(), a_table(), tmp_path)
    write_record(a_record(dataset="vdd"), a_table(), tmp_path)
    write_record(a_record(model=a_model(settings={"layers": 2})), a_table(), tmp_path)
    write_record(a_record(run=a_run(date="2026-02-01T00:00:00Z")), a_table(), tmp_path)
    records = read_records(tmp_path)
    assert len(records) == 3
    assert {record.run.date for record in records} == {"2026-01-31T09:30:00Z", "2026-02-01T00:00:00Z"}


def test_counts_add_up_to_their_record(written):
    table = read_record_counts(read_record(written), written.parent)
    assert table.digest() == a_table().digest()


def test_counts_of_another_run_are_refused(written, tmp_path):
    same_sum = a_table([[[6, 2, 0], [1, 3, 0], [0, 0, 3]], [[2, 0, 0], [0, 5, 1], [0, 0, 1]]])
    other_sum = a_table([[[6, 2, 0], [1, 3, 0], [0, 0, 4]], [[2, 0, 0], [0, 5, 1], [0, 0, 9]]])
    other_images = a_table([[[8, 2, 0], [1, 8, 1], [0, 0, 4]]])
    record = a_record()
    for table, words in [
        (same_sum, "its digest differs"),
        (other_sum, "does not add up to the confusion matrix"),
        (other_images, "counts 1 images, but its record says 2"),
    ]:
        with pytest.raises(RecordError, match=words):
            write_record(record, table, tmp_path)


def test_a_record_without_counts_says_so(tmp_path):
    record = a_record().model_copy(update={"counts": None})
    path = write_record(record, None, tmp_path)
    with pytest.raises(RecordError, match="has no per-image counts"):
        read_record_counts(read_record(path), path.parent)
    with pytest.raises(RecordError, match="together with the counts"):
        write_record(record, a_table(), tmp_path)
    with pytest.raises(RecordError, match="together with the counts"):
        write_record(a_record(), None, tmp_path)


def test_a_figure_edited_by_hand_names_file_and_field(written):
    edited(written, lambda content: content["metrics"].update(miou=0.99))
    with pytest.raises(RecordError) as caught:
        read_record(written)
    sentence = str(caught.value)
    assert sentence.startswith(f"{written}: metrics.miou says 0.99 but its confusion gives 0.73")
    assert "edited by hand" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"{", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"format": 1, "kind": "measured", "metrics": NaN}', "NaN is no JSON number"),
        (b"[]", "is not a record of ovrisis-bench"),
        (b'{"kind": "measured"}', "is not a record of ovrisis-bench"),
        (b'{"format": 99, "kind": "measured"}', "install a newer version"),
        (b'{"format": "1", "kind": "measured"}', "must be a whole number from 1"),
        (b'{"format": true, "kind": "measured"}', "must be a whole number from 1"),
        (b'{"format": 1, "kind": "published"}', "one of kind 'measured' belongs here"),
        (b'{"format": 1, "kind": "measured"}', "field 'model': Field required"),
    ],
)
def test_a_file_that_is_no_record_is_one_sentence(tmp_path, content, words):
    path = tmp_path / f"a{RECORD_SUFFIX}"
    path.write_bytes(content)
    with pytest.raises(RecordError) as caught:
        read_record(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_one_bad_file_fails_the_folder(written):
    written.with_name(f"other{RECORD_SUFFIX}").write_text("{}")
    with pytest.raises(RecordError, match=f"other{RECORD_SUFFIX}"):
        read_records(written.parent.parent)


def test_other_files_in_the_folder_are_left_alone(written):
    results = written.parent.parent
    (results / "table.json").write_text("{}")
    (results / "published").mkdir()
    (results / "published" / "paper.json").write_text("not JSON")
    assert len(read_records(results)) == 1


def test_a_missing_folder_or_file_is_an_error(tmp_path):
    with pytest.raises(RecordError, match="There is no results folder"):
        read_records(tmp_path / "nowhere")
    with pytest.raises(RecordError, match="cannot be read"):
        read_record(tmp_path / f"nothing{RECORD_SUFFIX}")


def test_an_empty_folder_holds_no_records(tmp_path):
    assert read_records(tmp_path) == []


def test_copies_of_a_record_count_once_and_the_newest_is_kept(tmp_path):
    write_record(a_record(), a_table(), tmp_path / "a")
    write_record(a_record(run=a_run(date="2026-03-01T00:00:00Z")), a_table(), tmp_path / "b")
    write_record(a_record(run=a_run(date="2025-03-01T00:00:00Z")), a_table(), tmp_path / "c")
    assert [record.run.date for record in read_records(tmp_path)] == ["2026-03-01T00:00:00Z"]


def test_two_answers_to_one_question_are_an_error(tmp_path):
    table = a_table([[[6, 2, 0], [1, 3, 0], [0, 0, 4]], [[2, 0, 0], [0, 5, 1], [0, 0, 9]]])
    write_record(a_record(), a_table(), tmp_path / "a")
    write_record(a_record(table=table), table, tmp_path / "b")
    with pytest.raises(RecordError, match="two results of the same run with different figures"):
        read_records(tmp_path)


def test_a_renamed_record_still_reads(written):
    moved = written.rename(written.with_name(f"my favourite{RECORD_SUFFIX}"))
    record = read_record(moved)
    assert read_record_counts(record, moved.parent).digest() == a_table().digest()
    assert record_path(record, moved.parent.parent) == written
