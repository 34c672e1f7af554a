"""A run keeps what was asked for beside its record, and the record is the same with and without."""

from pathlib import Path

import numpy as np
import pytest

from ovrisisbench.benchmark import RunReport, run
from ovrisisbench.errors import AdapterError
from ovrisisbench.evaluate.counts import confusion
from ovrisisbench.evaluate.kept_labels import read_label_map
from ovrisisbench.prepare import PreparedDataset
from ovrisisbench.records import cost_maps_path, label_maps_folder, read_cost_maps, read_record_counts, read_records

ADAPTERS = Path(__file__).parent.parent / "adapter" / "drawn_adapters.py"


def _run(results: Path, data: Path, name: str = "Brightness", **options):
    (record,) = run(f"{ADAPTERS}:{name}", data=data, results=results, device="cpu", limit=6, **options)
    return record, next(results.glob("ovrisisbench-v1-*"))


class _StopsAfter(RunReport):
    def progress(self, finished: int, wanted: int) -> None:
        if finished >= 2:
            raise KeyboardInterrupt


def test_the_kept_label_maps_give_the_counts_of_the_record(drawn_data, tmp_path):
    plain, _ = _run(tmp_path / "plain", drawn_data)
    record, folder = _run(tmp_path / "kept", drawn_data, label_maps=True)
    assert record.result_digest() == plain.result_digest()
    assert record.stem == plain.stem
    counts = read_record_counts(record, folder)
    with PreparedDataset(drawn_data / "isaid.h5") as dataset:
        truth = {sample.id: dataset.label(index) for index, sample in enumerate(dataset.samples)}
    total = sum(
        confusion(read_label_map(label_maps_folder(record, folder), image), truth[image], 15) for image in counts.ids
    )
    assert np.array_equal(total, record.confusion_array)
    assert len(list(label_maps_folder(record, folder).iterdir())) == 6
    assert len(read_records(tmp_path / "kept")) == 1


@pytest.mark.parametrize("kept_before", [True, False])
def test_an_interrupted_run_ends_with_the_label_maps_of_all_images(drawn_data, tmp_path, kept_before):
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, drawn_data, label_maps=kept_before, report=_StopsAfter())
    record, folder = _run(tmp_path, drawn_data, label_maps=True)
    assert len(list(label_maps_folder(record, folder).iterdir())) == 6
    assert (record.run.resumed_images > 0) == kept_before
    assert not list((tmp_path / ".unfinished").iterdir())


def test_cost_maps_are_kept_of_worst_middle_and_best_images(drawn_data, tmp_path):
    record, folder = _run(tmp_path, drawn_data, "WithCosts", cost_maps=3)
    found = read_cost_maps(cost_maps_path(record, folder))
    assert found.result == record.result_digest()
    assert len(found.ids) == 3
    assert set(found.ids) <= set(read_record_counts(record, folder).ids)
    assert {name: maps.shape[:2] for name, maps in found.stages.items()} == {"grey": (3, 15)}


def test_a_model_without_cost_maps_says_so_before_it_measures(drawn_data, tmp_path):
    with pytest.raises(AdapterError, match="gives no cost maps"):
        _run(tmp_path, drawn_data, cost_maps=3)
    assert not list(tmp_path.rglob("*.record.json"))
