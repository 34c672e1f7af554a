import json
from pathlib import Path

import pytest

from ovrisisbench.records import FORMAT, read_record, read_record_counts
from ovrisisbench.records.formats import upgraded

HISTORIC = Path(__file__).parent / "historic"


@pytest.mark.parametrize("version", range(1, FORMAT + 1))
def test_records_of_every_format_load_for_ever(version):
    record = read_record(HISTORIC / f"v{version}.record.json")
    assert record.format == FORMAT
    assert record.model.title == "RSKT-Seg"
    assert record.metrics.miou == pytest.approx((8 / 11 + 8 / 12 + 4 / 5) / 3)
    assert read_record_counts(record, HISTORIC).ids == ("scene_0.png", "scene_1.png")


def test_records_before_version_2_do_not_know_what_training_has_seen():
    assert read_record(HISTORIC / "v1.record.json").dataset.seen_in_training is None
    seen = read_record(HISTORIC / "v2.record.json").dataset.seen_in_training
    assert (seen.images, seen.of, seen.left_out) == (3, 5, True)


def test_records_before_version_3_name_no_files_beside_the_checkpoint():
    assert read_record(HISTORIC / "v2.record.json").model.beside == {}
    assert read_record(HISTORIC / "v3.record.json").model.beside["rsib"].file == "RSIB.pth"


def test_records_before_version_4_are_of_models_that_ran_here():
    assert read_record(HISTORIC / "v3.record.json").predictions is None
    scored = read_record(HISTORIC / "v4.record.json")
    assert (scored.model.kind, scored.model.weights) == ("predictions", "elsewhere")
    assert scored.predictions.forms == {"PNG, indices": 2}


def test_an_old_record_keeps_its_file_name():
    record = read_record(HISTORIC / "v1.record.json")
    assert record.counts.file == f"{record.stem}.counts.npz"


def test_content_of_the_newest_format_is_not_touched():
    content = json.loads((HISTORIC / f"v{FORMAT}.record.json").read_text())
    assert upgraded(content, where="here") == content
