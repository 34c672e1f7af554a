"""Expected against found, on made-up counts."""

import pytest

from ovrisisbench.catalog import load_card
from ovrisisbench.errors import DataError
from ovrisisbench.prepare.doctor.findings import Finding
from ovrisisbench.prepare.doctor.verdict import Verdict, examine_download, examine_files, examine_samples, name_digest
from ovrisisbench.prepare.download.sources import Entry
from ovrisisbench.prepare.layouts.interface import Expected, Pair, Recognised, Unit
from tests.prepare.test_manifest import sample

CARD = load_card("isaid")
NOTHING = Entry("x.png", None, None, 0, "")
NAMES = {"train": ["P0001", "P0010", "P0009"], "val": ["P0003"]}
SAMPLES = [sample(name, split=split) for split, names in NAMES.items() for name in names]


MISSING = Finding(severity="partial", subject="split train", expected="5", found="3")


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
    (reason,) = verdict.sentences("partial")
    assert "split train: expected 3 images with masks (stated by the publisher), found 2" in reason
    assert verdict.sentences("warning") == (
        "split val: expected 3 images with masks (stated by the publisher), found 4",
    )


def test_a_split_without_images_is_missing():
    verdict = examine_download(found(train=3), {"val": Expected(3, "primary")}, what="windows")
    assert "found 0, so its folder or archives are missing" in verdict.sentences("partial")[0]


def test_long_lists_of_orphans_are_cut():
    orphans = tuple(f"train/P{number:04d}" for number in range(8))
    verdict = examine_download(
        Recognised(units=(), images_without_mask=orphans, masks_without_image=("val/P1",)), {}, what="images"
    )
    assert verdict.sentences("partial")[0] == (
        "images without a mask: expected none, found 8 (train/P0000, train/P0001, train/P0002, train/P0003, "
        "train/P0004 and 3 more)"
    )
    assert verdict.sentences("partial")[1] == "masks without an image: expected none, found 1 (val/P1)"


def test_a_sum_is_compared_where_only_that_is_known():
    verdict = examine_download(found(train=2, val=4), {"all": Expected(7, "primary")}, what="images")
    assert "all splits: expected 7 images" in verdict.sentences("partial")[0]
    assert not examine_download(found(train=2, val=4), {"all": Expected(6, "primary")}, what="images").findings


def test_unusable_files_are_counted_and_the_first_are_named():
    (finding,) = examine_files([f"{number}.png is cut off" for number in range(7)])
    assert finding.severity == "partial"
    assert "found 7 (0.png is cut off; " in finding.sentence()
    assert "4.png is cut off; and 2 more)" in finding.sentence()
    assert examine_files([]) == []


def test_errors_stop_whatever_the_user_accepts():
    wrong = Finding(severity="error", subject="bands", expected="red", found="infrared", remedy="use the other file")
    with pytest.raises(DataError, match="bands: expected red, found infrared; use the other file"):
        Verdict((wrong,)).refuse_errors(CARD)
    Verdict((MISSING,)).refuse_errors(CARD)


def test_equal_counts_and_names_are_verified_in_any_order():
    verdict = examine_samples(SAMPLES[::-1], variant(), Verdict())
    assert verdict == Verdict(verified=True)


def test_verified_images_forgive_a_wrong_expectation():
    verdict = examine_samples(SAMPLES, variant(), Verdict((MISSING,)))
    assert verdict.verified
    assert verdict.of("partial") == ()
    assert "complete all the same" in verdict.sentences("warning")[0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (SAMPLES[1:], "split train: expected 3 evaluated images .*, found 2"),
        ([*SAMPLES[1:], sample("P0002")], "split train: expected the names of the published list, found 3 other names"),
        ([*SAMPLES, sample("P0004", split="test")], "split test: expected 0 evaluated images .*, found 1"),
    ],
)
def test_other_images_than_published_are_a_reason(samples, message):
    verdict = examine_samples(samples, variant(), Verdict())
    assert not verdict.verified
    with pytest.raises(DataError, match=message):
        verdict.refuse_parts(CARD, allow_partial=False)
    verdict.refuse_parts(CARD, allow_partial=True)


def test_uncertain_counts_are_compared_but_not_enforced():
    verdict = examine_samples(SAMPLES[1:], variant(counts_evidence="memory"), Verdict())
    assert verdict.of("partial") == ()
    assert "expected 3 evaluated images" in verdict.sentences("warning")[0]
    assert not examine_samples(SAMPLES, variant(counts_evidence="inference"), Verdict()).verified


def test_what_was_missing_before_is_the_reason_that_is_told():
    before = Verdict((MISSING,))
    assert examine_samples(SAMPLES[1:], variant(), before) == before


def test_unsplit_images_are_compared_by_their_sum():
    together = [entry.model_copy(update={"split": "all"}) for entry in SAMPLES]
    assert examine_samples(together, variant(), Verdict()) == Verdict()
    verdict = examine_samples(together[1:], variant(), Verdict())
    assert "all splits: expected 4 evaluated images" in verdict.sentences("partial")[0]


def test_a_data_set_without_known_counts_is_neither_partial_nor_verified():
    unknown = variant(counts={}, name_digests={})
    assert examine_samples(SAMPLES, unknown, Verdict()) == Verdict()
