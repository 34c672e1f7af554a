"""A device that does not exist is refused in words."""

import pytest
import torch

from ovrisisbench.errors import EvaluationError
from ovrisisbench.evaluate.device import device_name, resolve_device


def _pretend(monkeypatch, devices: int):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)


def test_auto_takes_the_cpu_where_there_is_no_gpu(monkeypatch):
    _pretend(monkeypatch, 0)
    assert resolve_device("auto") == "cpu"


def test_auto_gives_each_process_its_own_gpu(monkeypatch):
    _pretend(monkeypatch, 4)
    assert [resolve_device("auto", local_rank=rank) for rank in range(4)] == [f"cuda:{rank}" for rank in range(4)]
    assert resolve_device("cuda:1", local_rank=3) == "cuda:1"


@pytest.mark.parametrize(
    ("devices", "wanted", "sentence"),
    [
        (0, "cuda", "no CUDA device that torch can use"),
        (2, "cuda:2", r"has 2 CUDA device\(s\), numbered from 0"),
        (2, "gpu0", "'gpu0' is not a device"),
        (2, "cuda:x", "'cuda:x' is not a device"),
    ],
)
def test_a_device_that_does_not_exist_is_refused(monkeypatch, devices, wanted, sentence):
    _pretend(monkeypatch, devices)
    with pytest.raises(EvaluationError, match=sentence):
        resolve_device(wanted)


def test_the_cpu_has_a_name():
    assert device_name("cpu").strip()
