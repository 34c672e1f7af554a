from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.train.stream import TrainingStream

COUNTS = st.integers(1, 40)
SEEDS = st.integers(-(2**70), 2**70)


@given(count=COUNTS, seed=SEEDS, number=st.integers(0, 5))
def test_every_pass_has_every_picture_once(count: int, seed: int, number: int) -> None:
    stream = TrainingStream(count, seed)
    order = [stream.picture(place) for place in range(number * count, (number + 1) * count)]
    assert sorted(order) == list(range(count))


@given(seed=SEEDS, places=st.lists(st.integers(0, 300), min_size=2, max_size=20))
def test_a_place_gives_the_same_whatever_was_asked_before(seed: int, places: list[int]) -> None:
    stream = TrainingStream(17, seed)
    assert [stream.picture(place) for place in places] == [TrainingStream(17, seed).picture(place) for place in places]
    assert [stream.generator(place).random() for place in places] == [
        TrainingStream(17, seed).generator(place).random() for place in places
    ]


@given(iteration=st.integers(0, 1000), each=st.integers(1, 6), count=st.integers(1, 8))
def test_processes_share_a_batch_and_batches_follow_each_other(iteration: int, each: int, count: int) -> None:
    stream, batch = TrainingStream(10, 0), each * count
    shares = [list(stream.places(iteration, batch, rank=rank, count=count)) for rank in range(count)]
    assert all(len(share) == each for share in shares)
    assert sorted(place for share in shares for place in share) == list(
        range(iteration * batch, (iteration + 1) * batch)
    )
    assert shares[0][0] == iteration * batch


@settings(max_examples=20)
@given(seed=st.integers(0, 100))
def test_another_seed_another_pass_and_another_kind_of_draw_are_independent(seed: int) -> None:
    stream = TrainingStream(40, seed)
    first, second = ([stream.picture(place) for place in range(start, start + 40)] for start in (0, 40))
    other = [TrainingStream(40, seed + 1).picture(place) for place in range(40)]
    assert first != second
    assert first != other
    assert len({stream.generator(place).random() for place in range(50)}) == 50
    assert len({stream.step_seed(step, rank) for step in range(10) for rank in range(4)}) == 40
