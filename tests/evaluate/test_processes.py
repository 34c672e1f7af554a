"""Images are dealt out to processes once each, without padding."""

from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.evaluate.processes import Processes, joined_processes


@given(st.integers(0, 100), st.integers(1, 9))
def test_every_image_goes_to_exactly_one_process(images, count):
    parts = [Processes(rank=rank, count=count).share(range(images)) for rank in range(count)]
    assert sorted(index for part in parts for index in part) == list(range(images))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_without_torchrun_a_process_stands_alone(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined_processes() as processes:
        assert processes == Processes()
        assert processes.is_first
        assert processes.gather("mine") == ["mine"]
