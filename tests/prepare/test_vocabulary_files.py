"""Lists of class names beside the data."""

import json

import pytest

from ovrisisbench.catalog import load_card, load_vocabulary
from ovrisisbench.prepare.doctor import vocabulary_files
from ovrisisbench.prepare.doctor.vocabulary_files import examine_vocabulary_files
from ovrisisbench.prepare.download.sources import scan
from tests.drawn.writing import write_files, write_zip

CARD = load_card("potsdam")
NAMES = load_vocabulary(CARD.variant().vocabulary).class_names
FIVE = ["impervious surface", "building", "low vegetation", "tree", "car"]


def examined(root, card=CARD):
    return examine_vocabulary_files(scan(root), card, NAMES)


def listed(names):
    return json.dumps(names).encode()


def test_the_right_list_is_no_finding(tmp_path):
    assert examined(write_files(tmp_path, {"Potsdam.json": listed(list(NAMES)), "mask.png": b"x"})) == []


def test_the_other_list_beside_the_right_one_is_a_warning_that_names_both(tmp_path):
    (finding,) = examined(write_files(tmp_path, {"Potsdam.json": listed(list(NAMES)), "d/potsdam.json": listed(FIVE)}))
    assert finding.severity == "warning"
    assert "d/potsdam.json" in finding.subject
    assert "6 names of Potsdam.json (Impervious surfaces, Building" in finding.expected
    assert "5 names (impervious surface, building" in finding.found
    assert "it is not Potsdam.json and would replace it on a disk that ignores case" in finding.cause


def test_a_list_that_was_overwritten_is_recognised_also_in_a_zip(tmp_path):
    write_zip(tmp_path / "lists.zip", {"datasets/Potsdam.json": listed(FIVE)})
    (finding,) = examined(tmp_path)
    assert "lists.zip/datasets/Potsdam.json" in finding.subject
    assert "has replaced it" in finding.cause


def test_another_order_of_the_same_names_is_a_difference(tmp_path):
    assert len(examined(write_files(tmp_path, {"Potsdam.json": listed(list(NAMES)[::-1])}))) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe\x00", b"[" * 5000, b"null", b"3", b"{}", b"[]", b"[1, 2]", b'["a", 1]', b'{"a": "b"}',
        b'"Building"', b"NaN",
    ],
)  # fmt: skip
def test_what_is_no_list_of_names_is_passed_over(tmp_path, content):
    assert examined(write_files(tmp_path, {"Potsdam.json": content})) == []


def test_files_of_other_names_and_implausibly_large_ones_are_not_read(tmp_path, monkeypatch):
    write_files(tmp_path, {"Vaihingen.json": listed(FIVE), "Potsdam.txt": listed(FIVE), "Potsdam.json": listed(FIVE)})
    monkeypatch.setattr(vocabulary_files, "_MOST_BYTES", 10)
    assert examined(tmp_path) == []


def test_a_damaged_archive_does_not_stop_it(tmp_path):
    archive = write_zip(tmp_path / "a.zip", {"Potsdam.json": listed(FIVE)}, stored=True)
    content = bytearray(archive.read_bytes())
    content[content.index(b"building")] ^= 1
    archive.write_bytes(content)
    assert examined(tmp_path) == []


def test_a_card_without_such_a_trap_looks_at_nothing(tmp_path):
    assert examined(write_files(tmp_path, {"vaihingen.json": listed(FIVE)}), load_card("vaihingen")) == []


def test_long_lists_are_cut(tmp_path):
    (finding,) = examined(write_files(tmp_path, {"potsdam.json": listed([f"class {n}" * 30 for n in range(40)])}))
    assert "and 32 more" in finding.found
    assert len(finding.found) < 500
