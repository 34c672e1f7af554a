import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.errors import RecordError
from ovrisisbench.evaluate.image_counts import ImageCounts
from ovrisisbench.records import CountsTable, read_counts, write_counts
from tests.records.examples import a_table

confusions = st.integers(1, 5).flatmap(
    lambda classes: st.lists(
        st.lists(st.integers(0, 3) | st.integers(2**31, 2**40), min_size=classes**2, max_size=classes**2).map(
            lambda cells: np.array(cells, np.int64).reshape(classes, classes)
        ),
        min_size=1,
        max_size=6,
    )
)


def table_of(matrices, order=None):
    images = [ImageCounts.from_confusion(f"image {index}", matrix, 0.0) for index, matrix in enumerate(matrices)]
    scenes = {image.image_id: f"scene {index // 2}" for index, image in enumerate(images)}
    shuffled = images if order is None else [images[index] for index in order]
    return CountsTable.from_images(shuffled, scenes=scenes, num_classes=len(matrices[0]))


@given(confusions)
def test_counts_survive_the_file(tmp_path_factory, matrices):
    path = tmp_path_factory.mktemp("counts") / "a.counts.npz"
    table = table_of(matrices)
    write_counts(table, path)
    again = read_counts(path)
    assert (again.ids, again.scenes, again.num_classes) == (table.ids, table.scenes, table.num_classes)
    assert again.digest() == table.digest()
    np.testing.assert_array_equal(again.image_confusions(), np.stack(matrices))
    np.testing.assert_array_equal(again.confusion(), np.sum(matrices, axis=0))


@given(confusions, st.randoms())
def test_the_order_of_images_leaves_no_trace(matrices, random):
    order = list(range(len(matrices)))
    random.shuffle(order)
    assert table_of(matrices, order).digest() == table_of(matrices).digest()


def test_equal_counts_give_equal_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_counts(a_table(), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_every_part_of_a_table_is_in_its_digest():
    base = a_table()
    changed = [
        a_table(prefix="other"),
        CountsTable(**{**fields(base), "scenes": ("scene", "other")}),
        CountsTable(**{**fields(base), "num_classes": 4}),
        CountsTable(**{**fields(base), "pixels": base.pixels + np.uint64(1)}),
        CountsTable(**{**fields(base), "truth": base.truth[::-1]}),
        CountsTable(**{**fields(base), "prediction": base.prediction[::-1]}),
        CountsTable(**{**fields(base), "image": base.image[::-1]}),
    ]
    assert len({table.digest() for table in [base, *changed]}) == 8


def fields(table):
    names = ("ids", "scenes", "num_classes", "image", "truth", "prediction", "pixels")
    return {name: getattr(table, name) for name in names}


def test_images_that_were_all_ignored_are_kept():
    table = a_table([np.zeros((3, 3)), np.eye(3)])
    assert len(table) == 2
    assert table.image.tolist() == [1, 1, 1]


def test_one_image_twice_is_refused():
    image = ImageCounts.from_confusion("a", np.eye(2, dtype=np.int64), 0.0)
    with pytest.raises(ValueError, match="repeat"):
        CountsTable.from_images([image, image], scenes={"a": "s"}, num_classes=2)


def test_a_class_outside_the_vocabulary_is_refused():
    image = ImageCounts.from_confusion("a", np.eye(3, dtype=np.int64), 0.0)
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        CountsTable.from_images([image], scenes={"a": "s"}, num_classes=2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scenes": ("scene",)}, "2 image ids but 1 scenes"),
        ({"ids": ("b", "a")}, "repeat or are not sorted"),
        ({"num_classes": 2}, r"outside 0\.\.1"),
        ({"image": np.array([0, 0, 0, 0, 0, 1, 1, 7], np.uint32)}, "counts image 7"),
        ({"image": np.array([0], np.uint32)}, "different lengths"),
        ({"pixels": np.zeros(8, np.uint64)}, "are zero"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, change, words):
    path = tmp_path / "a.counts.npz"
    write_counts(CountsTable(**{**fields(a_table()), **change}), path)
    with pytest.raises(RecordError, match=words):
        read_counts(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"text"])
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "a.counts.npz"
    path.write_bytes(content)
    with pytest.raises(RecordError, match="damaged or not a file of per-image counts"):
        read_counts(path)


def test_a_file_cut_short_is_one_sentence(tmp_path):
    path = tmp_path / "a.counts.npz"
    write_counts(a_table(), path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordError, match="damaged"):
        read_counts(path)


def test_signed_or_pickled_columns_are_refused(tmp_path):
    path = tmp_path / "a.counts.npz"
    arrays = {
        name: column.astype(np.int64) if name == "truth" else column for name, column in a_table().arrays().items()
    }
    np.savez(path, **arrays)
    with pytest.raises(RecordError, match="column 'truth' holds int64"):
        read_counts(path)
    np.savez(path, **{**a_table().arrays(), "ids": np.array(["a", None], dtype=object)})
    with pytest.raises(RecordError, match="damaged or not a file"):
        read_counts(path)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(RecordError, match="is missing; copy it"):
        read_counts(tmp_path / "a.counts.npz")


@given(st.data())
def test_a_flipped_bit_is_found_or_harmless(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("counts") / "a.counts.npz"
    write_counts(a_table(), path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    try:
        found = read_counts(path)
    except RecordError:
        return
    assert found.digest() == a_table().digest()
