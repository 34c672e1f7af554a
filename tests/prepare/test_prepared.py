"""Reading prepared files: what is refused, and reading from worker processes."""

import multiprocessing
import os
import pickle
import shutil

import h5py
import numpy as np
import pytest

from ovrisisbench.errors import DataError
from ovrisisbench.prepare import PreparedDataset
from tests.drawn.isaid import all_windows


@pytest.fixture
def copy(prepared, tmp_path):
    return shutil.copyfile(prepared.path, tmp_path / "copy.h5")


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def same_pixels(dataset, index):
    pixels, labels = all_windows()[dataset.samples[index].id]
    return bool((dataset.image(index) == pixels).all() and (dataset.label(index) == labels).all())


def test_images_and_labels_have_the_promised_form(prepared):
    image, label = prepared.image(0), prepared.label(0)
    assert (image.shape, image.dtype) == ((256, 256, 3), np.uint8)
    assert (label.shape, label.dtype) == ((256, 256), np.uint8)
    assert image.flags.c_contiguous
    assert image.flags.owndata
    image[...] = 0
    assert prepared.image(0).any()


def test_an_index_beyond_the_end_is_an_index_error(prepared):
    with pytest.raises(IndexError):
        prepared.image(len(prepared))


def test_a_closed_data_set_opens_again(copy):
    with PreparedDataset(copy) as dataset:
        first = dataset.image(0)
    np.testing.assert_array_equal(dataset.image(0), first)
    dataset.close()
    dataset.close()


def test_pickling_leaves_handles_behind(copy):
    dataset = PreparedDataset(copy)
    dataset.image(0)
    other = pickle.loads(pickle.dumps(dataset))
    assert other._mapped is None
    assert same_pixels(other, 0)


def _worker(dataset, indices, queue):
    queue.put([same_pixels(dataset, index) for index in indices])


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_workers_of_both_kinds_read_the_right_pixels(copy, method):
    dataset = PreparedDataset(copy)
    assert same_pixels(dataset, 0)  # the parent holds open handles when it forks
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    workers = [
        context.Process(target=_worker, args=(dataset, range(start, len(dataset), 2), queue)) for start in range(2)
    ]
    for worker in workers:
        worker.start()
    outcomes = [outcome for _ in workers for outcome in queue.get(timeout=120)]
    for worker in workers:
        worker.join()
    assert outcomes == [True] * len(dataset)
    assert same_pixels(dataset, 1)


class TorchView:
    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        return index, os.getpid(), same_pixels(self.dataset, index)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_torch_loader_with_two_workers_reads_the_right_pixels(copy):
    from torch.utils.data import DataLoader

    dataset = PreparedDataset(copy)
    assert same_pixels(dataset, 0)
    loader = DataLoader(TorchView(dataset), batch_size=1, num_workers=2, shuffle=True)
    rows = [(int(index), int(pid), bool(right)) for _ in range(2) for index, pid, right in loader]
    assert sorted(index for index, _, _ in rows) == sorted([*range(len(dataset))] * 2)
    assert len({pid for _, pid, _ in rows} - {os.getpid()}) >= 2
    assert all(right for _, _, right in rows)


def test_a_file_repacked_with_chunks_and_filters_reads_the_same(prepared, copy):
    def repack(file):
        for group in ("images", "labels"):
            for name, dataset in list(file[group].items()):
                content = dataset[()]
                del file[group][name]
                file[group].create_dataset(name, data=content, chunks=True, compression="gzip")

    change(copy, repack)
    dataset = PreparedDataset(copy)
    for index in range(len(dataset)):
        np.testing.assert_array_equal(dataset.image(index), prepared.image(index))
        dataset.verify(index)


def test_damaged_pixels_are_found_by_verify(copy):
    with PreparedDataset(copy) as before:
        sample = before.samples[0]

    def flip(file):
        file["labels"][sample.source][sample.y0, sample.x0] ^= 1

    change(copy, flip)
    with pytest.raises(DataError, match=f"sample {sample.id} is damaged"):
        PreparedDataset(copy).verify(0)


def _edited(file):
    content = bytes(file["manifest"][()]).replace(b'"partial":false', b'"partial":true ')
    del file["manifest"]
    file["manifest"] = np.frombuffer(content, np.uint8)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda file: file.attrs.__setitem__("format_version", 3), "written by a newer ovrisisbench"),
        (lambda file: file.attrs.__setitem__("format_version", 1), "of an older format"),
        (lambda file: file.attrs.__setitem__("format", "other"), "not a prepared data set"),
        (lambda file: file.attrs.__delitem__("format"), "not a prepared data set"),
        (lambda file: file.attrs.__delitem__("complete"), "not written to its end"),
        (lambda file: file.__delitem__("manifest"), "no readable manifest"),
        (_edited, "was changed after it was written"),
    ],
)
def test_a_file_that_is_not_as_prepare_wrote_it_is_refused(copy, edit, message):
    change(copy, edit)
    with pytest.raises(DataError, match=message):
        PreparedDataset(copy)


def test_a_manifest_of_unknown_fields_is_refused_by_name(copy):
    import hashlib

    def edit(file):
        content = b'{"novelty": 1, ' + bytes(file["manifest"][()])[1:]
        del file["manifest"]
        file["manifest"] = np.frombuffer(content, np.uint8)
        file.attrs["manifest_sha256"] = hashlib.sha256(content).hexdigest()

    change(copy, edit)
    with pytest.raises(DataError, match=r"field 'novelty'"):
        PreparedDataset(copy)


def test_arrays_that_the_manifest_names_must_be_there_and_large_enough(copy):
    dataset = PreparedDataset(copy)
    first, last = dataset.samples[0].source, dataset.samples[-1].source
    assert first != last

    def edit(file):
        del file["images"][first]
        del file["labels"][last]
        file["labels"][last] = np.zeros((3, 3), np.uint8)

    change(copy, edit)
    with pytest.raises(DataError, match=f"lacks /images/{first}"):
        dataset.image(0)
    with pytest.raises(DataError, match=f"/labels/{last} is smaller than sample"):
        dataset.label(len(dataset) - 1)


def test_a_file_replaced_between_opening_and_reading_is_noticed(copy):
    dataset = PreparedDataset(copy)
    change(copy, lambda file: file.attrs.__setitem__("manifest_sha256", "0" * 64))
    with pytest.raises(DataError, match="was replaced while it was in use"):
        dataset.image(0)


@pytest.mark.parametrize("keep", [0, 100, 100_000])
def test_half_a_file_is_refused(copy, keep):
    copy.write_bytes(copy.read_bytes()[:keep])
    with pytest.raises(DataError, match="not an HDF5 file, or only a part of one"):
        PreparedDataset(copy)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(DataError, match="ovrisis-bench prepare"):
        PreparedDataset(tmp_path / "isaid.h5")
