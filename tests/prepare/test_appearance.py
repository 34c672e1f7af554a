"""Right data pass by a wide margin, wrong ones are named, and nothing is said with too few pixels."""

from dataclasses import dataclass, replace

import pytest

from ovrisisbench.catalog import load_card
from ovrisisbench.catalog.vocabularies import load_vocabulary
from ovrisisbench.prepare.conversion.class_colours import ColourSum
from ovrisisbench.prepare.doctor import appearance
from ovrisisbench.prepare.doctor.appearance import LEAST_PIXELS, examine_appearance
from ovrisisbench.prepare.doctor.bands import LEAST_LEAD, LEAST_POOLED, gain_of_each_band, lead_of_each_band
from ovrisisbench.prepare.doctor.label_orders import LEAST_OF_A_CLASS, plant_gap

GREY, ROOF, GRASS, TREE, EARTH = (120, 119, 117), (134, 112, 100), (104, 112, 86), (74, 84, 66), (132, 118, 100)
LOOKS = {
    "Impervious surfaces": GREY, "Building": ROOF, "Low vegetation": GRASS, "Tree": TREE, "Car": (110, 108, 112),
    "Clutter/background": EARTH, "Background clutter": EARTH, "Road": GREY, "Moving car": (120, 118, 120),
    "Static car": (116, 116, 118), "Human": (112, 104, 104), "Vegetation": GRASS, "Vehicle": (118, 117, 119),
    "Other": EARTH, "other": EARTH, "wall": ROOF, "road": GREY, "vegetation": GRASS, "vehicle": (118, 117, 119),
    "roof": ROOF, "water": (80, 92, 88), "no-data": (0, 0, 0), "background": EARTH, "building": ROOF, "barren": EARTH,
    "forest": TREE, "agriculture": GRASS,
}  # fmt: skip
"""Dull colours, as on a hazy day: far duller than the drawn data sets."""
SHARES = {
    "potsdam": (0.28, 0.26, 0.23, 0.15, 0.02, 0.06), "uavid": (0.14, 0.30, 0.16, 0.24, 0.14, 0.009, 0.01, 0.001),
    "udd5": (0.36, 0.30, 0.14, 0.01, 0.19), "vdd": (0.24, 0.07, 0.12, 0.34, 0.01, 0.15, 0.07),
    "loveda": (0.01, 0.40, 0.09, 0.06, 0.10, 0.05, 0.09, 0.20),
}  # fmt: skip
"""By id, as roughly recalled of the real ones."""
SWAPPED = (0.40, 0.01, 0.09, 0.06, 0.10, 0.05, 0.09, 0.20)
PIXELS = 6_400_000


@dataclass(frozen=True)
class Data:
    """What a converted data set would measure; index -> label that the pixels really show."""

    key: str
    shows: tuple[str, ...]
    shares: tuple[float, ...]
    ignored: float = 0.0
    variant: str | None = None
    pixels: int = PIXELS
    bands: tuple[int, int, int] = (0, 1, 2)
    sizes: tuple[tuple[tuple[int, int], int], ...] = ()

    @property
    def card(self):
        return load_card(self.key)

    def findings(self):
        card = self.card
        variant = card.variant(self.variant)
        counts = [round(share * self.pixels) for share in self.shares]
        colours = {}
        for index, (label, share) in enumerate(zip(self.shows, self.shares, strict=True)):
            sampled = round(share * self.pixels / 64)
            if sampled:
                red, green, blue = (sampled * self.seen(label)[band] for band in self.bands)
                colours[index] = ColourSum(sampled, red, green, blue)
        ignored = round(self.ignored * self.pixels)
        return examine_appearance(card, variant, counts, ignored, colours, dict(self.sizes))

    def seen(self, label):
        red, green, blue = LOOKS[label]
        checkup = self.card.checkup
        infrared = round(1.4 * red) if label in checkup.vegetation else round(1.02 * red)
        return (red, green, blue, infrared)


def right(key, **changes):
    card = load_card(key)
    variant = card.variant()
    indices = {index: name for name, index in variant.labels.items() if index != "ignore"}
    shows = tuple(indices[index] for index in range(len(load_vocabulary(variant.vocabulary).class_names)))
    return replace(Data(key, shows, SHARES.get(key, SHARES["potsdam"])), **changes)


def reordered(key, classes, shares):
    """Right pictures whose ids mean ``classes``."""
    data = right(key)
    padding = len(data.shows) - len(classes)
    return replace(data, shows=(*classes, *data.shows[len(classes) :]), shares=(*shares, *[0.0] * padding))


INFRARED = (3, 0, 1)


@pytest.mark.parametrize("key", ["potsdam", "uavid", "udd5", "vdd", "loveda"])
def test_right_data_are_passed_without_a_word_even_if_they_are_dull(key):
    assert right(key).findings() == []


def test_right_false_colours_are_passed_without_a_word():
    assert right("vaihingen", bands=INFRARED).findings() == []


@pytest.mark.parametrize(
    ("key", "order", "shares"),
    [
        ("uavid", "UAVidToolKit", (0.14, 0.30, 0.16, 0.01, 0.24, 0.14, 0.001, 0.009)),
        ("uavid", "UAVidToolKit with one class of cars (SegEarth-OV)", (0.14, 0.30, 0.16, 0.02, 0.24, 0.14, 0.001)),
        ("udd5", "UDD6", (0.19, 0.08, 0.14, 0.36, 0.01)),
        ("vdd", "UDD5", (0.34, 0.22, 0.12, 0.01, 0.31)),
        ("loveda", "copies in which background and no-data are exchanged", SWAPPED),
        (
            "loveda",
            "version 2 of the benchmark (every value one lower, no-data gone)",
            (0.4, 0.09, 0.06, 0.1, 0.05, 0.1, 0.2),
        ),
        ("potsdam", "torchgeo (clutter first)", (0.06, 0.28, 0.26, 0.23, 0.15, 0.02)),
        ("potsdam", "masks whose colour channels were reversed (BGR)", (0.28, 0.06, 0.02, 0.15, 0.23, 0.26)),
    ],
)  # fmt: skip
def test_another_order_of_ids_is_an_error_that_names_it(key, order, shares):
    known = {other.name: other.classes for other in load_card(key).checkup.other_orders}
    classes = known[order][: len(right(key).shows)]
    (finding,) = reordered(key, classes, shares).findings()
    assert finding.severity == "error"
    assert finding.subject == "order of the ids"
    assert order in finding.cause


@pytest.mark.parametrize(("key", "order"), [("uavid", "UAVidToolKit"), ("potsdam", "torchgeo (clutter first)")])
def test_an_order_with_implausible_shares_is_not_preferred_for_its_colours(key, order):
    assert any(other.name == order for other in load_card(key).checkup.other_orders)
    odd = right(key)
    shows = tuple(
        "Low vegetation" if label in ("Background clutter", "Clutter/background") else label for label in odd.shows
    )
    assert [finding.severity for finding in replace(odd, shows=shows).findings()] == []


def test_colours_alone_show_another_order_where_no_share_is_known(monkeypatch):
    data = reordered("udd5", ("Other", "Building", "Road", "Vegetation", "Vehicle"), (0.2, 0.2, 0.2, 0.2, 0.2))
    card = data.card
    bare = card.model_copy(update={"checkup": card.checkup.model_copy(update={"shares": {}})})
    monkeypatch.setattr(Data, "card", property(lambda self: bare))
    (finding,) = data.findings()
    assert (finding.severity, "UDD6" in finding.cause) == ("error", True)
    assert "look less like plants than those of other labels" in finding.found


def test_shares_alone_are_a_warning():
    data = reordered("udd5", ("Other", "Building", "Road", "Vegetation", "Vehicle"), (0.19, 0.08, 0.14, 0.36, 0.01))
    card, variant = data.card, data.card.variant()
    counts = [round(share * PIXELS) for share in data.shares]
    (finding,) = examine_appearance(card, variant, counts, 0, {}, {})
    assert finding.severity == "warning"
    assert "probably those of UDD6" in finding.cause


def test_an_order_without_a_name_for_ids_that_are_there_is_ruled_out():
    shows = ("vegetation", "wall", "road", "other", "vehicle", "roof", "water")
    data = replace(right("vdd"), shows=shows, shares=(0.34, 0.07, 0.12, 0.01, 0.24, 0.15, 0.07))
    assert all("UDD5" not in finding.cause for finding in data.findings())
    named = reordered("vdd", ("vegetation", "roof", "road", "vehicle", "other"), (0.34, 0.22, 0.12, 0.01, 0.31))
    assert "UDD5" in named.findings()[0].cause


def test_black_pixels_without_data_do_not_count_as_a_class_that_is_no_plant():
    colours = {0: ColourSum(999, 0, 0, 0), 1: ColourSum(999, 99900, 79920, 79920), 6: ColourSum(999, 0, 99900, 0)}
    meaning = {0: "no-data", 1: "background", 6: "forest"}
    assert plant_gap(load_card("loveda"), meaning, colours) == pytest.approx(2 - (240 - 260) / 260)


def test_near_infrared_in_place_of_red_is_an_error():
    (finding,) = right("potsdam", bands=INFRARED).findings()
    assert finding.severity == "error"
    assert finding.subject == "bands"
    assert "near infrared, red, green in place of red, green, blue" in finding.cause


def test_true_colours_in_place_of_false_ones_are_an_error():
    (finding,) = right("vaihingen").findings()
    assert finding.severity == "error"
    assert "true colours (red, green, blue)" in finding.cause


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ((1, 0, 3), "reverse order (green, red, near infrared)"),
        ((0, 1, 3), "near infrared is the third band"),
        ((0, 3, 1), "the bands are in another order, or these are pictures in true colours"),
        ((3, 1, 0), "the second and the third band"),
    ],
)
def test_every_other_order_of_false_colours_is_named(bands, words):
    (finding,) = right("vaihingen", bands=bands).findings()
    assert finding.severity == ("warning" if bands == (3, 1, 0) else "error")
    assert words in finding.cause


def test_bands_in_the_doubtful_zone_are_a_warning(monkeypatch):
    monkeypatch.setitem(LOOKS, "Low vegetation", (160, 122, 100))
    monkeypatch.setitem(LOOKS, "Tree", (160, 122, 100))
    (finding,) = right("potsdam").findings()
    assert finding.severity == "warning"
    assert "or the plants are dry" in finding.cause


def test_dry_grass_in_true_colours_is_not_taken_for_infrared(monkeypatch):
    monkeypatch.setitem(LOOKS, "Low vegetation", (150, 140, 100))
    monkeypatch.setitem(LOOKS, "Tree", (104, 96, 84))
    assert right("potsdam").findings() == []


def test_red_leaves_in_true_colours_are_not_taken_for_infrared(monkeypatch):
    monkeypatch.setitem(LOOKS, "Low vegetation", (150, 90, 60))
    monkeypatch.setitem(LOOKS, "Tree", (150, 90, 60))
    assert [finding.severity for finding in right("potsdam").findings()] == ["warning"]


def test_light_and_exposure_do_not_change_the_gain_of_a_band():
    plants, sealed = ColourSum(10, 600, 900, 500), ColourSum(20, 2400, 2400, 2400)
    dimmed = [ColourSum(colour.pixels, colour.red // 2, colour.green // 4, colour.blue) for colour in (plants, sealed)]
    assert gain_of_each_band(*dimmed) == pytest.approx(gain_of_each_band(plants, sealed))
    lead = lead_of_each_band(gain_of_each_band(plants, sealed))
    assert max(lead) == lead[1] > LEAST_LEAD


@pytest.mark.parametrize("pixels", [64 * LEAST_POOLED // 3, 64])
def test_with_few_pixels_nothing_is_said_of_bands(pixels):
    assert not [
        finding for finding in right("potsdam", bands=INFRARED, pixels=pixels).findings() if finding.subject == "bands"
    ]


def test_with_few_pixels_nothing_certain_is_said_of_orders():
    data = reordered("udd5", ("Other", "Building", "Road", "Vegetation", "Vehicle"), (0.19, 0.08, 0.14, 0.36, 0.01))
    for finding in replace(data, pixels=64 * LEAST_OF_A_CLASS).findings():
        assert finding.severity != "error"


@pytest.mark.parametrize("key", ["potsdam", "vaihingen", "uavid", "udd5", "vdd", "loveda", "dlrsd", "isaid"])
def test_no_pixels_at_all_are_no_reason_to_fail(key):
    card = load_card(key)
    for variant in card.variants:
        classes = len(load_vocabulary(variant.vocabulary).class_names)
        assert examine_appearance(card, variant, [0] * classes, 0, {}, {}) == []
        examine_appearance(card, variant, [0] * classes, 9, {255: ColourSum(9, 0, 0, 0)}, {(1, 1): 1})
        examine_appearance(
            card, variant, [5] * classes, 0, {index: ColourSum(9999, 0, 0, 0) for index in range(classes)}, {}
        )


@pytest.mark.parametrize(
    ("variant", "ignored", "severity", "words"),
    [
        ("grid-256", 0.0, None, ""),
        ("grid-256", 0.005, None, ""),
        ("grid-256", 0.07, "error", "eroded boundaries under the name of full ones"),
        ("grid-256-eroded", 0.07, None, ""),
        ("grid-256-eroded", 0.0, "error", "full labels under the name of those with eroded boundaries"),
        ("grid-256-eroded", 0.004, "warning", ""),
    ],
)
def test_the_share_of_ignored_pixels_tells_full_labels_from_eroded_ones(variant, ignored, severity, words):
    findings = right("potsdam", variant=variant, ignored=ignored).findings()
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    assert all(words in finding.cause for finding in findings)


def test_eroded_labels_do_not_hide_wrong_bands():
    findings = right("potsdam", ignored=0.07, bands=INFRARED).findings()
    assert [finding.subject for finding in findings] == ["ignored pixels", "bands"]


def test_nothing_ignored_where_most_should_be_means_labels_off_by_one():
    card = load_card("isaid")
    findings = examine_appearance(card, card.variant(), [1000] * 15, 0, {}, {})
    assert [finding.severity for finding in findings] == ["error"]
    assert "off by one" in findings[0].cause


def test_ignored_pixels_and_no_last_class_where_nothing_is_ignored_mean_a_reduction_by_one():
    card = load_card("dlrsd")
    findings = examine_appearance(card, card.variant(), [1000] * 16 + [0], 1000, {}, {})
    assert findings[0].severity == "error"
    assert "every value was reduced by one" in findings[0].cause
    findings = examine_appearance(card, card.variant(), [1000] * 17, 10, {}, {})
    assert [finding.severity for finding in findings] == ["warning"]


def test_implausible_shares_are_a_warning_with_both_numbers():
    (finding,) = right("potsdam", shares=(0.2, 0.2, 0.2, 0.15, 0.05 + 0.1, 0.1)).findings()
    assert finding.severity == "warning"
    assert finding.sentence().startswith("shares of the classes: expected Car 0.1 % to 6 %, found Car 15 %")
    few = right("potsdam", shares=(0.2, 0.2, 0.2, 0.15, 0.15, 0.1), pixels=LEAST_PIXELS - 10)
    assert few.findings() == []


def test_absent_classes_are_named_unless_they_may_be_absent():
    (finding,) = right("potsdam", shares=(0.28, 0.28, 0.23, 0.15, 0.0, 0.06)).findings()
    assert (finding.severity, finding.found) == ("warning", "none of Car")
    assert right("loveda", shares=(0.0, *SHARES["loveda"][1:])).findings() == []


@pytest.mark.parametrize(
    ("key", "sizes", "warns"),
    [
        ("loveda", {(1024, 1024): 10}, False),
        ("loveda", {(1024, 1024): 9, (512, 512): 1}, True),
        ("dlrsd", {(256, 256): 2056, (257, 256): 44}, False),
        ("dlrsd", {(256, 256): 8, (224, 224): 2}, True),
        ("uavid", {(2160, 3840): 5, (2160, 4096): 5}, False),
        ("vaihingen", {(17, 19): 1}, False),
    ],
)
def test_sizes_are_compared_where_they_are_known(key, sizes, warns):
    card = load_card(key)
    findings = examine_appearance(card, card.variant(), [0] * 17, 0, {}, sizes)
    assert [finding.subject for finding in findings] == (["image sizes"] if warns else [])
    assert all(finding.severity == "warning" for finding in findings)


def test_no_data_that_is_not_black_is_a_warning(monkeypatch):
    monkeypatch.setitem(LOOKS, "no-data", (90, 90, 90))
    (finding,) = right("loveda", shares=(0.05, 0.36, *SHARES["loveda"][2:])).findings()
    assert (finding.severity, finding.subject) == ("warning", "colour of no-data")
    monkeypatch.setitem(LOOKS, "no-data", (3, 3, 3))
    assert right("loveda", shares=(0.05, 0.36, *SHARES["loveda"][2:])).findings() == []


def test_label_pictures_in_place_of_images_are_an_error(monkeypatch):
    for label in load_card("potsdam").classes:
        monkeypatch.setitem(LOOKS, label.name, label.colour)
    (finding,) = right("potsdam").findings()
    assert finding.severity == "error"
    assert "label pictures" in finding.cause
    monkeypatch.setitem(LOOKS, "Tree", (0, 240, 0))
    assert all(finding.subject != "images" for finding in right("potsdam").findings())


@pytest.mark.parametrize(("share", "words"), [(1, "100 %"), (0.951, "95 %"), (0.0487, "4.9 %"), (0.00012, "0.012 %")])
def test_shares_are_two_digits_that_anybody_reads(share, words):
    assert appearance._percent(share) == words
