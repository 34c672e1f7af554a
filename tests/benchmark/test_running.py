"""A run gives the same record however it is cut up, interrupted, batched or spread over processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ovrisisbench.adapter import ScoreMap, find_adapter
from ovrisisbench.benchmark import RunReport, run
from ovrisisbench.benchmark.inputs import load_options
from ovrisisbench.errors import AdapterError, CatalogError, CheckpointError, DataError, EvaluationError
from ovrisisbench.prepare import PreparedDataset
from ovrisisbench.records import read_record_counts, read_records

BRIGHTNESS = f"{Path(__file__).parent.parent / 'adapter' / 'drawn_adapters.py'}:Brightness"
TINY = {"model": "rskt-seg", "backbone": "tiny", "untrained": True, "settings": {"linears": "plain"}}


def _record(results: Path, data: Path, **options):
    options.setdefault("model", BRIGHTNESS)
    (record,) = run(options.pop("model"), data=data, results=results, device="cpu", **options)
    return record


def test_the_counts_of_a_run_are_those_of_labels_made_by_hand(drawn_data, tmp_path):
    record = _record(tmp_path, drawn_data)
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    expected = np.zeros((15, 15), np.int64)
    import torch

    for index in range(len(dataset)):
        grey = dataset.image(index).astype(np.float32).mean(axis=2)[::2, ::2]
        centres = (np.arange(15, dtype=np.float32) + 0.5) * (256 / 15)
        scores = torch.from_numpy(-np.abs(grey[None] - centres[:, None, None]))
        full = torch.nn.functional.interpolate(scores[None], size=(256, 256), mode="bilinear", align_corners=False)
        labels, truth = full[0].argmax(0).numpy(), dataset.label(index)
        np.add.at(expected, (truth[truth != 255], labels[truth != 255]), 1)
    # Exact ties between classes may fall either way in the last bit, so a handful of pixels may differ.
    assert np.abs(record.confusion_array - expected).sum() <= 4
    assert record.confusion_array.sum() == expected.sum()


def test_the_record_says_what_was_measured_by_which_rules(drawn_data, tmp_path):
    record = _record(tmp_path, drawn_data, command=("ovrisis-bench", "run", "--data=/secret/place/data"))
    assert (record.protocol.name, record.dataset.key, record.dataset.variant) == (
        "ovrisisbench-v1",
        "isaid",
        "isaid5i-256",
    )
    assert record.dataset.partial
    assert not record.dataset.limited
    assert record.model.adapter == "drawn_adapters.py"
    assert record.model.settings == {"ranges": "equal"}
    assert "/secret" not in json.dumps(record.model_dump(mode="json"))
    assert record.run.packages["torch"]
    counts = read_record_counts(record, next(tmp_path.glob("ovrisisbench-v1-*")))
    assert np.array_equal(counts.confusion(), record.confusion_array)


@pytest.mark.parametrize("options", [{"batch_size": 3}, {"batch_size": 64}, {"threads": 3}, {"threads": 1}])
def test_batch_size_and_threads_change_nothing(drawn_data, tmp_path, options):
    for model in ({}, TINY):
        plain = _record(tmp_path / "plain", drawn_data, limit=12, **model)
        other = _record(tmp_path / "other", drawn_data, limit=12, **model, **options)
        assert other.result_digest() == plain.result_digest()


def test_a_model_that_cannot_run_in_threads_is_never_called_twice_at_once(drawn_data, tmp_path):
    path = tmp_path / "single.py"
    path.write_text(
        "import threading\n"
        "from tests.adapter.drawn_adapters import Brightness, info\n"
        "class Single(Brightness):\n"
        "    info = info('single')\n"
        "    inside = threading.Lock()\n"
        "    def predict(self, images, *, image_ids):\n"
        "        assert self.inside.acquire(blocking=False)\n"
        "        try:\n"
        "            return super().predict(images, image_ids=image_ids)\n"
        "        finally:\n"
        "            self.inside.release()\n"
    )
    assert _record(tmp_path, drawn_data, model=f"{path}:Single", threads=4).dataset.images > 10


class _StopsAfter(RunReport):
    def __init__(self, images: int) -> None:
        self.images = images

    def progress(self, finished: int, wanted: int) -> None:
        if finished >= self.images:
            raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_where_it_stopped(drawn_data, tmp_path):
    whole = _record(tmp_path / "whole", drawn_data)
    for stop in (3, 2):
        with pytest.raises(KeyboardInterrupt):
            _record(tmp_path / "cut", drawn_data, report=_StopsAfter(stop))
    assert not list((tmp_path / "cut").rglob("*.record.json"))
    resumed = _record(tmp_path / "cut", drawn_data)
    assert resumed.run.resumed_images == 5
    assert resumed.result_digest() == whole.result_digest()
    assert not list((tmp_path / "cut" / ".unfinished").iterdir())


def test_a_journal_is_not_continued_with_other_settings(drawn_data, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _record(tmp_path, drawn_data, model="random", seed=0, report=_StopsAfter(3))
    assert _record(tmp_path, drawn_data, model="random", seed=1).run.resumed_images == 0


class _Hears(RunReport):
    def __init__(self) -> None:
        self.replaced = []

    def replace(self, old, new) -> None:
        self.replaced.append((old.metrics.miou, new.metrics.miou))


def test_a_repetition_with_other_counts_is_reported_before_it_replaces_the_old_record(drawn_data, tmp_path):
    path = tmp_path / "moody.py"
    path.write_text(
        "from tests.adapter.drawn_adapters import Brightness, info\n"
        "from ovrisisbench.adapter import ScoreMap\n"
        "class Moody(Brightness):\n"
        "    info = info('moody')\n"
        "    mood = 1\n"
        "    def predict(self, images, *, image_ids):\n"
        "        maps = super().predict(images, image_ids=image_ids)\n"
        "        return [ScoreMap(one.scores * type(self).mood, one.image_size) for one in maps]\n"
    )
    report = _Hears()
    for mood in (1, 1, -1):
        find_adapter(f"{path}:Moody").load_class().mood = mood
        record = _record(tmp_path / "results", drawn_data, model=f"{path}:Moody", report=report)
    ((old, new),) = report.replaced
    assert old != new
    assert read_records(tmp_path / "results")[0].result_digest() == record.result_digest()


def test_a_damaged_record_is_replaced_and_nothing_measured_is_lost(drawn_data, tmp_path):
    record = _record(tmp_path, drawn_data, limit=3)
    (path,) = tmp_path.rglob("*.record.json")
    path.write_text(path.read_text()[:200])
    assert _record(tmp_path, drawn_data, limit=3).result_digest() == record.result_digest()
    assert read_records(tmp_path)[0].result_digest() == record.result_digest()


def test_a_floor_that_was_told_other_truth_starts_anew(drawn_data, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        _record(tmp_path, drawn_data, model="most-frequent", limit=5, report=_StopsAfter(3))
    assert _record(tmp_path, drawn_data, model="most-frequent").run.resumed_images == 0


def test_a_killed_process_loses_no_finished_image(drawn_data, tmp_path):
    results = tmp_path / "killed"
    command = [sys.executable, "-m", "ovrisisbench", "run", "--model", "rskt-seg", "--backbone", "tiny", "--untrained"]
    command += ["--set", "linears=plain", "--data", str(drawn_data), "--results", str(results), "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    finished = 0
    for _ in range(6000):  # five minutes: on a busy machine the start alone takes half a minute
        finished = sum(path.read_bytes().count(b"\n") for path in results.rglob("finished-*.jsonl"))
        if finished >= 3 or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    assert finished >= 3
    resumed = _record(results, drawn_data, **TINY)
    assert resumed.run.resumed_images >= finished
    assert resumed.result_digest() == _record(tmp_path / "whole", drawn_data, **TINY).result_digest()


@pytest.mark.parametrize(
    "model", [["--model", BRIGHTNESS], ["--model", "rskt-seg", "--backbone", "tiny", "--untrained"]]
)
def test_two_processes_write_the_record_of_one(drawn_data, tmp_path, model):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    command = [sys.executable, "-m", "ovrisisbench", "run", *model, "--data", str(drawn_data), "--device", "cpu"]
    command += ["--results", str(tmp_path / "two"), "--limit", "9"]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [*torchrun, *command], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    (record,) = read_records(tmp_path / "two")
    assert record.run.processes == 2
    options = TINY | {"settings": {}} if "rskt-seg" in model else {}
    assert record.result_digest() == _record(tmp_path / "one", drawn_data, limit=9, **options).result_digest()


def test_a_limited_run_is_spread_over_scenes_and_marked(drawn_data, tmp_path):
    record = _record(tmp_path, drawn_data, limit=4)
    assert record.dataset.limited
    assert record.dataset.images == 4
    counts = read_record_counts(record, next(tmp_path.glob("ovrisisbench-v1-*")))
    assert len(set(counts.scenes)) > 1


def test_data_prepared_by_other_rules_are_refused(drawn_data, tmp_path, monkeypatch):
    monkeypatch.setattr("ovrisisbench.prepare.storage.manifest.rules_digest", lambda card, variant: "0" * 64)
    with pytest.raises(DataError, match="prepared by other rules"):
        _record(tmp_path, drawn_data)


def test_the_most_frequent_class_floor_is_the_best_constant_answer(drawn_data, tmp_path):
    record = _record(tmp_path, drawn_data, model="most-frequent")
    truth = record.confusion_array.sum(axis=1)
    assert record.metrics.pacc == pytest.approx(truth.max() / truth.sum())


BROKEN = """
import numpy as np
from tests.adapter.drawn_adapters import Brightness, NotFinite, WrongType, info
from ovrisisbench.adapter import ScoreMap
class TooFew(Brightness):
    info = info("too-few")
    def predict(self, images, *, image_ids):
        return []
class WrongSize(Brightness):
    info = info("wrong-size")
    def predict(self, images, *, image_ids):
        return [ScoreMap(one.scores, (1, 1)) for one in super().predict(images, image_ids=image_ids)]
class OddCrop(Brightness):
    info = info("odd-crop")
    def predict(self, images, *, image_ids):
        maps = super().predict(images, image_ids=image_ids)
        return [ScoreMap(one.scores, one.image_size, (0, 999, 0, 1)) for one in maps]
"""


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("NotFinite", EvaluationError, r"P\d{4}_\d+_\d+_\d+_\d+"),
        ("WrongType", AdapterError, "holds float64, not float32"),
        ("TooFew", AdapterError, "returned 0 score maps for 1 images"),
        ("WrongSize", AdapterError, r"says the image has size \(1, 1\)"),
        ("OddCrop", AdapterError, "has the crop"),
    ],
)
def test_a_model_that_breaks_its_contract_stops_the_run_in_words(drawn_data, tmp_path, name, error, sentence):
    (tmp_path / "broken.py").write_text(BROKEN)
    with pytest.raises(error, match=sentence):
        _record(tmp_path, drawn_data, model=f"{tmp_path / 'broken.py'}:{name}")


def test_a_crop_is_cut_out_before_the_map_is_stretched(drawn_data, tmp_path):
    (tmp_path / "padded.py").write_text(
        "import numpy as np\n"
        "from tests.adapter.drawn_adapters import Brightness, info\n"
        "from ovrisisbench.adapter import ScoreMap\n"
        "class Padded(Brightness):\n"
        "    info = info('padded')\n"
        "    def predict(self, images, *, image_ids):\n"
        "        maps = []\n"
        "        for one in super().predict(images, image_ids=image_ids):\n"
        "            h, w = one.scores.shape[1:]\n"
        "            padded = np.full((len(self.names), h + 8, w + 5), 1e6, np.float32)\n"
        "            padded[:, 3:3 + h, :w] = one.scores\n"
        "            maps.append(ScoreMap(padded, one.image_size, (3, 3 + h, 0, w)))\n"
        "        return maps\n"
    )
    padded = _record(tmp_path / "a", drawn_data, model=f"{tmp_path / 'padded.py'}:Padded")
    assert padded.confusion == _record(tmp_path / "b", drawn_data).confusion
    assert ScoreMap.__slots__


def test_the_only_backbone_beside_the_one_for_tests_need_not_be_named():
    options = load_options(find_adapter("segearth-ov").info, untrained=True, device="cpu")
    assert options.backbone == "vit-b"


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"model": "rskt-seg", "backbone": "vit-b", "train_set": "dlrsd"}, AdapterError, "needs trained weights"),
        ({"model": "rskt-seg", "backbone": "vit-b"}, AdapterError, "Say with --train-set"),
        ({**TINY, "backbone": "vit-x"}, AdapterError, "'vit-x' is not a backbone"),
        ({**TINY, "backbone": None}, AdapterError, "has several backbones"),
        ({**TINY, "settings": {"rotat": "off"}}, AdapterError, "Did you mean 'rotate'"),
        ({**TINY, "settings": {"rotate": "maybe"}}, AdapterError, "must be one of"),
        ({**TINY, "train_set": "loveda"}, AdapterError, "not a training set"),
        ({**TINY, "checkpoint": Path("x.pth")}, CheckpointError, "leave one of them out"),
        ({"model": "random", "train_set": "dlrsd"}, AdapterError, "not trained on any data set"),
        ({"model": "random", "datasets": ["loveda"]}, DataError, "loveda is not prepared"),
        ({"model": "random", "datasets": ["lovda"]}, CatalogError, "Did you mean 'loveda'"),
        ({"model": "random", "protocol": "v1"}, CatalogError, "There is no protocol 'v1'"),
        ({"model": "random", "precision": "tf32"}, EvaluationError, "needs a CUDA device"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(drawn_data, tmp_path, options, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        _record(tmp_path, drawn_data, **options)
    assert "\n" not in str(caught.value)


def test_nothing_prepared_says_how_to_begin(tmp_path):
    with pytest.raises(DataError, match="ovrisis-bench prepare dlrsd --from"):
        run("random", data=tmp_path, results=tmp_path / "results")


def test_a_data_set_under_another_name_is_noticed(drawn_data, tmp_path):
    shutil.copy(drawn_data / "isaid.h5", tmp_path / "loveda.h5")
    with pytest.raises(DataError, match="holds isaid"):
        run("random", data=tmp_path, results=tmp_path / "results")
