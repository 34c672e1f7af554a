"""Measuring on a device and on the processor count the same integers."""

import numpy as np
import pytest
import torch

from ovrisisbench.adapter import LoadOptions, find_adapter
from ovrisisbench.adapter.precision import inference
from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.device_measuring import DeviceMeasurer
from ovrisisbench.evaluate.host_measuring import HostMeasurer
from ovrisisbench.evaluate.kept_labels import KeptLabels, read_label_map
from ovrisisbench.prepare import PreparedDataset
from tests.adapter import drawn_adapters

NAMES = [f"class {index}" for index in range(15)]


@pytest.fixture(params=["brightness", "rskt-seg"])
def adapter(request):
    if request.param == "brightness":
        model = drawn_adapters.Brightness.load(LoadOptions(backbone="none"))
    else:
        options = LoadOptions(backbone="tiny", untrained=True, settings={"linears": "plain"})
        model = find_adapter("rskt-seg").load_class().load(options)
    with inference("float32", "cpu"):
        model.set_vocabulary(NAMES)
    return model


def _counts(measurer, batches) -> list[tuple[str, list[list[int]]]]:
    return [(image.image_id, image.cells.tolist()) for images in measurer.measure(batches) for image in images]


@pytest.mark.parametrize("strategy", ["device", "host"])
def test_a_device_and_the_processor_count_alike(drawn_data, adapter, strategy):
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    batches = [[0, 1, 2], [3], [4, 5]]
    on_host = _counts(HostMeasurer(adapter, dataset, 15, precision="float32", threads=2), batches)
    device = DeviceMeasurer(adapter, dataset, 15, precision="float32", device="cpu", strategy=strategy)
    assert _counts(device, batches) == on_host
    assert [name for name, _ in on_host] == [dataset.samples[index].id for index in range(6)]


def test_a_device_and_the_processor_keep_the_same_label_maps(drawn_data, adapter, tmp_path):
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    on_host = HostMeasurer(
        adapter, dataset, 15, precision="float32", threads=1, kept=KeptLabels(tmp_path / "host", [(0, 0, 0)])
    )
    on_device = DeviceMeasurer(
        adapter, dataset, 15, precision="float32", device="cpu", kept=KeptLabels(tmp_path / "device", [(0, 0, 0)])
    )
    for measurer in (on_host, on_device):
        list(measurer.measure([[0, 1], [2]]))
    for sample in dataset.samples[:3]:
        one, other = (read_label_map(tmp_path / name, sample.id) for name in ("host", "device"))
        assert np.array_equal(one, other)


def test_every_image_of_a_batch_gets_its_share_of_the_time(drawn_data, adapter):
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    device = DeviceMeasurer(adapter, dataset, 15, precision="float32", device="cpu")
    times = [image.milliseconds for images in device.measure([[0, 1], [2]]) for image in images]
    assert len(times) == 3
    assert times[0] == times[1] > 0


def test_scores_that_are_not_finite_are_named_on_a_device_too(drawn_data):
    model = drawn_adapters.NotFinite.load(LoadOptions(backbone="none"))
    model.set_vocabulary(NAMES)
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    device = DeviceMeasurer(model, dataset, 15, precision="float32", device="cpu")
    with pytest.raises(EvaluationError, match=dataset.samples[2].id):
        list(device.measure([[2]]))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("strategy", ["device", "host"])
def test_a_gpu_counts_what_the_processor_counts_from_its_scores(drawn_data, strategy):
    options = LoadOptions(backbone="tiny", untrained=True, device="cuda:0", settings={"linears": "plain"})
    model = find_adapter("rskt-seg").load_class().load(options)
    with inference("float32", "cuda:0"):
        model.set_vocabulary(NAMES)
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    device = DeviceMeasurer(model, dataset, 15, precision="float32", device="cuda:0", strategy=strategy)
    on_device = _counts(device, [[index] for index in range(8)])

    class FromDevice:
        """The same scores, handed to the processor."""

        def predict(self, images, *, image_ids):
            maps = model.predict(images, image_ids=image_ids)
            return [type(one)(one.scores.cpu().numpy(), one.image_size, one.crop) for one in maps]

    host = HostMeasurer(FromDevice(), dataset, 15, precision="float32", threads=1)
    on_host = _counts(host, [[index] for index in range(8)])
    assert [name for name, _ in on_device] == [name for name, _ in on_host]
    for (_, one), (_, two) in zip(on_device, on_host, strict=True):
        assert np.array_equal(one, two)
