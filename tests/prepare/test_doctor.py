"""Expected against found, on made-up counts."""

import pytest

from ovrisisbench.catalog import load_card
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.doctor import (
    Verdict,
    examine_download,
    examine_labels,
    examine_samples,
    name_digest,
    refuse_if_partial,
)
from ovrisisbench.prepare.layouts import Expected, Pair, Recognised, Unit
from ovrisisbench.prepare.manifest import Manifest
from ovrisisbench.prepare.sources import Entry
from tests.prepare.test_manifest import sample

CARD = load_card("isaid")
NOTHING = Entry("x.png", None, None, 0, "")
NAMES = {"train": ["P0001", "P0010", "P0009"], "val": ["P0003"]}
SAMPLES = [sample(name, split=split) for split, names in NAMES.items() for name in names]


def found(**counts):
    pairs = tuple(
        Pair(f"{split}{number}", split, "s", NOTHING, NOTHING)
        for split, count in counts.items()
        for number in range(count)
    )
    return Recognised(units=(Unit("u", pairs),))


def variant(**changes):
    known = {
        "counts": {split: len(names) for split, names in NAMES.items()},
        "name_digests": {split: name_digest(names) for split, names in NAMES.items()},
    }
    return CARD.variant().model_copy(update={**known, **changes})


def test_as_many_as_expected_is_complete():
    assert examine_download(found(train=3), {"train": Expected(3, "primary")}, what="images") == Verdict()


def test_fewer_are_a_part_and_more_are_a_warning():
    expected = {"train": Expected(3, "primary"), "val": Expected(3, "primary")}
    verdict = examine_download(found(train=2, val=4), expected, what="images")
    assert len(verdict.reasons) == 1
    assert "split train: expected 3 images with masks (stated by the publisher), found 2" in verdict.reasons[0]
    assert verdict.warnings == ("split val: expected 3 images with masks (stated by the publisher), found 4.",)


def test_a_split_without_images_is_missing():
    verdict = examine_download(found(train=3), {"val": Expected(3, "primary")}, what="windows")
    assert "found 0, so its folder or archives are missing" in verdict.reasons[0]


def test_long_lists_of_orphans_are_cut():
    orphans = tuple(f"train/P{number:04d}" for number in range(8))
    verdict = examine_download(
        Recognised(units=(), images_without_mask=orphans, masks_without_image=("val/P1",)), {}, what="images"
    )
    assert verdict.reasons[0] == (
        "8 image(s) (train/P0000, train/P0001, train/P0002, train/P0003, train/P0004 and 3 more) without a mask"
    )
    assert verdict.reasons[1] == "1 mask(s) (val/P1) without an image"


def test_equal_counts_and_names_are_verified_in_any_order():
    verdict = examine_samples(SAMPLES[::-1], variant(), Verdict())
    assert verdict == Verdict(verified=True)


def test_verified_images_forgive_a_wrong_expectation():
    verdict = examine_samples(SAMPLES, variant(), Verdict(reasons=("train: expected 5, found 3",)))
    assert verdict.verified
    assert verdict.reasons == ()
    assert "complete all the same" in verdict.warnings[0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (SAMPLES[1:], "split train: expected 3 evaluated images .*, found 2"),
        ([*SAMPLES[1:], sample("P0002")], "split train: the 3 evaluated images have other names"),
        ([*SAMPLES, sample("P0004", split="test")], "split test: expected no evaluated images, found 1"),
    ],
)
def test_other_images_than_published_are_a_reason(samples, message):
    verdict = examine_samples(samples, variant(), Verdict())
    assert not verdict.verified
    with pytest.raises(DataError, match=message):
        refuse_if_partial(verdict, CARD, allow_partial=False)
    refuse_if_partial(verdict, CARD, allow_partial=True)


def test_uncertain_counts_are_compared_but_not_enforced():
    verdict = examine_samples(SAMPLES[1:], variant(counts_evidence="memory"), Verdict())
    assert verdict.reasons == ()
    assert "expected 3 evaluated images" in verdict.warnings[0]
    assert not examine_samples(SAMPLES, variant(counts_evidence="inference"), Verdict()).verified


def test_what_was_missing_before_is_the_reason_that_is_told():
    before = Verdict(reasons=("an archive is missing",))
    assert examine_samples(SAMPLES[1:], variant(), before) == before


def test_unsplit_images_are_compared_by_their_sum():
    together = [entry.model_copy(update={"split": "all"}) for entry in SAMPLES]
    assert examine_samples(together, variant(), Verdict()) == Verdict()
    assert "expected 4 evaluated images in all" in examine_samples(together[1:], variant(), Verdict()).reasons[0]


def test_a_data_set_without_known_counts_is_neither_partial_nor_verified():
    unknown = variant(counts={}, name_digests={})
    assert not examine_samples(SAMPLES, unknown, Verdict()).reasons


def test_labels_off_by_one_show_as_nothing_ignored():
    manifest = Manifest.build(CARD, CARD.variant(), [sample("P1", histogram={0: 6})], layout="bundle")
    with pytest.raises(DataError, match="off by one"):
        examine_labels(manifest, CARD.variant())


def test_classes_without_pixels_are_a_warning_only_where_all_should_be_there():
    samples = [sample("P1", histogram={0: 5, 255: 1})]
    complete = Manifest.build(CARD, CARD.variant(), samples, layout="publisher")
    assert "No pixel belongs to storage tank" in examine_labels(complete, CARD.variant())[0]
    part = Manifest.build(CARD, CARD.variant(), samples, layout="publisher", partial_reasons=["a part"])
    assert examine_labels(part, CARD.variant()) == []
