import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ovrisisbench.catalog import load_card
from ovrisisbench.prepare.storage.manifest import Manifest, Sample, data_digest, natural_key, rules_digest

CARD = load_card("isaid")


def sample(name, **changes):
    fields = {
        "id": name,
        "scene": name[:5],
        "split": "train",
        "source": name,
        "y0": 0,
        "y1": 2,
        "x0": 0,
        "x1": 3,
        "image_sha256": hashlib.sha256(name.encode()).hexdigest(),
        "label_sha256": "0" * 64,
        "perceptual_hash": hashlib.sha256(name[::-1].encode()).hexdigest(),
        "histogram": {3: 4, 255: 2},
    }
    return Sample(**{**fields, **changes})


def manifest(*samples, **options):
    return Manifest.build(CARD, CARD.variant(), samples, layout="publisher", **options)


def test_totals_follow_from_the_samples():
    built = manifest(sample("P0002"), sample("P0001", split="val", histogram={0: 1, 3: 5}))
    assert [entry.id for entry in built.samples] == ["P0001", "P0002"]
    assert built.counts == {"train": 1, "val": 1}
    assert (built.class_pixels[0], built.class_pixels[3], built.ignored_pixels) == (1, 9, 2)
    assert built.class_names[14] == "harbor"
    assert not built.partial


def test_the_fingerprint_is_the_documented_sum():
    one, other = sample("P0002"), sample("P0010")
    lines = [f"{entry.id}\t2\t3\t{entry.image_sha256}\t{'0' * 64}\n" for entry in (one, other)]
    assert data_digest([other, one]) == hashlib.sha256("".join(lines).encode()).hexdigest()


@given(st.permutations([sample(f"P{number:04d}") for number in range(5)]))
def test_the_fingerprint_does_not_depend_on_the_order(samples):
    assert manifest(*samples) == manifest(*sorted(samples, key=lambda entry: entry.id))


@pytest.mark.parametrize("change", [{"source": "else"}, {"split": "val"}, {"scene": "x"}, {"y0": 4, "y1": 6}])
def test_the_way_of_storing_does_not_enter_the_fingerprint(change):
    assert data_digest([sample("P0001", **change)]) == data_digest([sample("P0001")])


@pytest.mark.parametrize(
    "change", [{"id": "P0009"}, {"x1": 2, "y1": 3}, {"image_sha256": "1" * 64}, {"label_sha256": "1" * 64}]
)
def test_pixels_labels_shape_and_name_enter_the_fingerprint(change):
    assert data_digest([sample("P0001", **change)]) != data_digest([sample("P0001")])


def test_reasons_make_a_data_set_partial():
    assert manifest(sample("P0001"), partial_reasons=["one archive is missing"]).partial


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("digest", "0" * 64),
        ("counts", {"train": 2}),
        ("ignored_pixels", 3),
        ("partial", True),
        ("class_pixels", [0] * 15),
    ],
)
def test_a_total_that_does_not_follow_is_refused(field, value):
    content = manifest(sample("P0001")).model_dump()
    with pytest.raises(ValidationError, match=f"{field}: does not follow from the samples"):
        Manifest.model_validate({**content, field: value})


def test_a_sample_listed_twice_is_refused():
    with pytest.raises(ValidationError, match="P0001 is listed more than once"):
        manifest(sample("P0001"), sample("P0001"))


def test_a_label_outside_the_classes_is_refused():
    with pytest.raises(ValidationError, match="label 15 belongs to none of the 15 classes"):
        manifest(sample("P0001", histogram={15: 6}))


@pytest.mark.parametrize("change", [{"y1": 0}, {"histogram": {3: 5}}, {"image_sha256": "short"}])
def test_an_impossible_sample_is_refused(change):
    with pytest.raises(ValidationError):
        sample("P0001", **change)


def test_json_round_trip_is_exact():
    built = manifest(sample("P0001"), sample("P0002"), notes=["grey"])
    assert Manifest.model_validate_json(built.model_dump_json()) == built


def test_the_rules_digest_changes_with_colours_labels_and_windows():
    variant = CARD.variant()
    before = rules_digest(CARD, variant)
    ship = CARD.classes[0].model_copy(update={"colour": (1, 2, 3)})
    assert rules_digest(CARD.model_copy(update={"classes": (ship, *CARD.classes[1:])}), variant) != before
    assert rules_digest(CARD, variant.model_copy(update={"labels": {**variant.labels, "ship": 1}})) != before
    rule = variant.windows.model_copy(update={"stride": 200})
    assert rules_digest(CARD, variant.model_copy(update={"windows": rule})) != before
    note = variant.model_copy(update={"why": "another explanation"})
    assert rules_digest(CARD, note) == before


@given(st.lists(st.text(alphabet="P_019a", min_size=1, max_size=6)), st.randoms())
def test_natural_order_is_total(names, random):
    shuffled = list(names)
    random.shuffle(shuffled)
    assert sorted(shuffled, key=natural_key) == sorted(names, key=natural_key)
