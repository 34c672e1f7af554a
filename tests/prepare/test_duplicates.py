"""Twins are found between splits and data sets, counted once, and never made of overlapping windows."""

import itertools
import json

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.catalog import load_card
from ovrisisbench.cli import cli
from ovrisisbench.prepare import Manifest, PreparedDataset, find_duplicates, prepare
from ovrisisbench.prepare.download.perceptual_hash import NEAR
from ovrisisbench.prepare.duplicates.search import seen_among
from tests.drawn import dlrsd
from tests.drawn.seen import a_sample, like, picture, write_seen
from tests.prepare.test_manifest import sample

FAR = [int(word * 16, 16) for word in ("0f0f", "00ff", "5a5a", "3c99")]
"""Hashes that differ from each other in about half of their bits."""


def near(base, bits):
    """A hash that differs from one of FAR in the lowest ``bits`` bits."""
    return f"{FAR[base] ^ (2**bits - 1):064x}"


def one(name, pixels, hashed, split="train", **more):
    return sample(name, image_sha256=f"{pixels:064x}", perceptual_hash=hashed, split=split, **more)


def manifest(*samples, dataset="isaid", variant=None):
    card = load_card(dataset)
    return Manifest.build(card, card.variant(variant), samples, layout="publisher")


def tally(found):
    return {(t.dataset, t.split, t.other_dataset, t.other_split): (t.exact, t.near) for t in found.twins}


def names(found):
    return [[member.id for member in group.members] for group in found.groups]


def test_exact_and_near_twins_are_counted_between_splits():
    found = find_duplicates(
        manifest(
            one("a", 1, near(0, 0)),
            one("b", 2, near(1, 0)),
            one("c", 3, near(2, 0)),
            one("d", 1, near(0, 0), "val"),  # the pixels of a
            one("e", 4, near(1, NEAR), "val"),  # looks like b
            one("f", 5, near(2, NEAR + 1), "val"),  # looks like nothing
        )
    )
    assert tally(found) == {("isaid", "train", "isaid", "val"): (1, 1), ("isaid", "val", "isaid", "train"): (1, 1)}
    assert (found.images, found.distinct_pixels, found.distinct_pictures) == (6, 5, 4)
    assert names(found) == [["a", "d"], ["b", "e"]]
    assert [group.is_exact for group in found.groups] == [True, False]
    assert found.twins[0].share == pytest.approx(2 / 3)


def test_an_image_with_both_kinds_of_twins_counts_as_exact():
    found = find_duplicates(
        manifest(one("a", 1, near(0, 0)), one("b", 1, near(0, 0), "val"), one("c", 2, near(0, 5), "val"))
    )
    assert tally(found)["isaid", "train", "isaid", "val"] == (1, 0)
    assert tally(found)["isaid", "val", "isaid", "train"] == (1, 1)
    assert tally(found)["isaid", "val", "isaid", "val"] == (0, 2)


def test_flat_images_have_twins_by_their_pixels_only():
    found = find_duplicates(manifest(one("a", 1, None), one("b", 1, None), one("c", 2, None)))
    assert found.flat == 3
    assert names(found) == [["a", "b"]]


def test_images_of_other_shape_have_other_pixels():
    tall = {"y1": 3, "x1": 2}
    assert find_duplicates(manifest(one("a", 1, None), one("b", 1, None, **tall))).groups == ()


def test_a_group_is_what_twins_link_however_far_its_ends_are_apart():
    found = find_duplicates(
        manifest(one("a", 1, near(0, 0)), one("b", 2, near(0, 20)), one("c", 3, near(0, 40)), one("x", 9, near(1, 0)))
    )
    assert names(found) == [["a", "b", "c"]]
    assert found.distinct_pictures == 2


def test_groups_through_more_splits_come_first_then_larger_ones():
    def copies(base, *splits):
        return [one(f"{base}{index}", base, None, split) for index, split in enumerate(splits)]

    found = find_duplicates(
        manifest(*copies(1, "train", "train", "train"), *copies(2, "train", "val"), *copies(3, "val", "val"))
    )
    assert names(found) == [["20", "21"], ["10", "11", "12"], ["30", "31"]]


def window(name, corner, pixels, hashed, split="train"):
    y, x = corner
    return one(f"{name}_{y}_{y + 2}_{x}_{x + 3}", pixels, hashed, split, scene=name)


def test_overlapping_windows_of_one_scene_in_one_split_are_no_near_twins():
    close = [near(0, 0), near(0, 1)]
    first = window("P1", (0, 0), 1, close[0])
    for other, linked in [
        (window("P1", (1, 2), 2, close[1]), False),
        (window("P1", (2, 0), 2, close[1]), True),  # touches, but shares no pixel
        (window("P1", (0, 3), 2, close[1]), True),
        (window("P2", (1, 2), 2, close[1]), True),
        (window("P1", (1, 2), 2, close[1], "val"), True),  # a leak, whatever the reason
        (window("P1", (1, 2), 1, close[0]), True),  # equal pixels
        (one("P1_0_9_0_9", 2, close[1]), True),  # only looks like the name of a window
    ]:
        assert bool(find_duplicates(manifest(first, other)).groups) == linked, other.id


def test_between_two_data_sets_only_what_they_share_is_found():
    first = manifest(one("a", 1, near(0, 0)), one("b", 1, near(0, 0)), one("c", 2, near(1, 0), "val"))
    second = manifest(
        one("x", 1, near(0, 0)),
        one("y", 3, near(1, 3)),
        one("z", 4, near(2, 0)),
        one("zz", 4, near(2, 0)),
        dataset="vdd",
    )
    found = find_duplicates(first, second)
    assert tally(found) == {
        ("isaid", "train", "vdd", "train"): (2, 0),
        ("isaid", "val", "vdd", "train"): (0, 1),
        ("vdd", "train", "isaid", "train"): (1, 0),
        ("vdd", "train", "isaid", "val"): (0, 1),
    }
    assert names(found) == [["a", "b", "x"], ["c", "y"]]
    assert (found.images, found.distinct_pixels, found.distinct_pictures) == (7, None, None)


@pytest.mark.parametrize(
    ("second", "labels"),
    [
        (manifest(one("x", 1, None), dataset="vdd"), {"potsdam", "vdd"}),
        (
            manifest(one("x", 1, None), dataset="potsdam", variant="grid-512"),
            {"potsdam grid-256", "potsdam grid-512"},
        ),
    ],
)
def test_two_data_sets_are_called_by_what_tells_them_apart(second, labels):
    found = find_duplicates(manifest(one("a", 1, None), dataset="potsdam"), second)
    assert {twins.dataset for twins in found.twins} == labels


@st.composite
def _samples(draw, prefix):
    drawn = draw(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["train", "val", "test"])), max_size=14))
    # Equal pixels have an equal hash: picture 0..9 -> base, bits; 8 and 9 are flat.
    bits = [0, 3, 20, 33, 0, 40, 31, 60]
    return [
        one(f"{prefix}{index}", picture, None if picture > 7 else near(picture % 2, bits[picture]), split)
        for index, (picture, split) in enumerate(drawn)
    ]


def _kind(a, b):
    if a.image_sha256 == b.image_sha256:
        return "exact"
    if a.perceptual_hash and b.perceptual_hash:
        bits = (int(a.perceptual_hash, 16) ^ int(b.perceptual_hash, 16)).bit_count()
        return "near" if bits <= NEAR else None
    return None


def _reference(pairs, here, there):
    """Tally by plain comparison: (split, other split) -> (exact, near), for the first of each pair."""
    counts = {}
    for split in {a.split for a in here}:
        for other_split in {b.split for b in there}:
            kinds = [
                {_kind(a, b) for b in there if b.split == other_split and (a.id, b.id) in pairs}
                for a in here
                if a.split == split
            ]
            exact = sum("exact" in found for found in kinds)
            only_near = sum("near" in found and "exact" not in found for found in kinds)
            if exact or only_near:
                counts[split, other_split] = (exact, only_near)
    return counts


def _components(samples, pairs):
    groups = [{sample.id} for sample in samples]
    for a, b in pairs:
        joined = [group for group in groups if a in group or b in group]
        groups = [group for group in groups if group not in joined] + [set().union(*joined)]
    return groups


@settings(max_examples=150, deadline=None)
@given(_samples("a"))
def test_inside_a_data_set_everything_is_as_a_plain_comparison_finds_it(samples):
    found = find_duplicates(manifest(*samples))
    pairs = {(a.id, b.id) for a, b in itertools.permutations(samples, 2) if _kind(a, b)}
    assert {key[1::2]: value for key, value in tally(found).items()} == _reference(pairs, samples, samples)
    groups = _components(samples, pairs)
    assert sorted(map(sorted, names(found))) == sorted(sorted(group) for group in groups if len(group) > 1)
    assert found.distinct_pictures == len(groups)
    assert found.distinct_pixels == len({sample.image_sha256 for sample in samples})


@settings(max_examples=150, deadline=None)
@given(_samples("a"), _samples("b"))
def test_between_data_sets_everything_is_as_a_plain_comparison_finds_it(first, second):
    found = find_duplicates(manifest(*first), manifest(*second, dataset="vdd"))
    pairs = {(a.id, b.id) for a, b in itertools.product(first, second) if _kind(a, b)}
    expected = {("isaid", *key): value for key, value in _reference(pairs, first, second).items()}
    back = _reference({(b, a) for a, b in pairs}, second, first)
    expected |= {("vdd", *key): value for key, value in back.items()}
    assert {(key[0], key[1], key[3]): value for key, value in tally(found).items()} == expected
    groups = _components([*first, *second], pairs)
    assert sorted(map(sorted, names(found))) == sorted(sorted(group) for group in groups if len(group) > 1)
    seen = seen_among(first, second)
    assert seen.exact.tolist() == [any(_kind(a, b) == "exact" for b in second) for a in first]
    assert seen.near.tolist() == [
        not exact and any(_kind(a, b) == "near" for b in second)
        for a, exact in zip(first, seen.exact.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The drawn bundle of DLRSD, prepared: every tile once for each of its labels, over train and val."""
    folder = tmp_path_factory.mktemp("bundle")
    report = prepare("dlrsd", dlrsd.draw_bundle(folder / "d"), folder, workers=1, card=dlrsd.drawn_card())
    return report.target


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The drawn tiles themselves, prepared from the publisher's TIFF files."""
    folder = tmp_path_factory.mktemp("original")
    source = dlrsd.draw_publisher_folders(folder / "d")
    return prepare("dlrsd", source, folder, variant="original-2100", workers=1, card=dlrsd.drawn_card()).target


def test_the_copies_in_the_bundle_of_dlrsd_are_counted(bundle):
    copies = dlrsd.copies()
    tiles = {split: [tile.name for part, tile in copies.values() if part == split] for split in ("train", "val")}
    found = find_duplicates(PreparedDataset(bundle).manifest)
    assert found.images == len(copies)
    assert found.distinct_pictures == len(dlrsd.scenes())
    for here, there in (("train", "val"), ("val", "train")):
        twins = next(twins for twins in found.twins if (twins.split, twins.other_split) == (here, there))
        assert twins.total == sum(tile in tiles[there] for tile in tiles[here])
        assert twins.images == len(tiles[here])
    for group in found.groups:
        assert len({copies[member.id][1].name for member in group.members}) == 1


def test_the_bundle_is_found_to_show_the_original_tiles(bundle, original):
    found = find_duplicates(PreparedDataset(bundle).manifest, PreparedDataset(original).manifest)
    assert sum(twins.total for twins in found.twins if twins.dataset == "dlrsd bundle-7002") == len(dlrsd.copies())
    assert all(twins.exact == 0 for twins in found.twins), "JPEG pixels are not those of the TIFF files"


def run(*arguments):
    done = CliRunner().invoke(cli, ["duplicates", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_says_in_words_what_a_user_asks(bundle):
    text = run(bundle)
    copies = dlrsd.copies()
    in_train = {tile.name for split, tile in copies.values() if split == "train"}
    val = [tile.name for split, tile in copies.values() if split == "val"]
    assert f"{len(copies)} images show {len(dlrsd.scenes())} different pictures" in text
    assert f"{sum(name in in_train for name in val)} of {len(val)} val images have a twin in train (" in text
    assert "equal pixels" in text
    assert "32 of 256 bits may differ" in text


def test_the_command_cuts_the_list_and_says_how_much_is_left(bundle):
    groups = len(find_duplicates(PreparedDataset(bundle).manifest).groups)
    text = run(bundle, "--limit-listed", 1)
    assert f"{groups} group(s) of twins" in text
    assert f"and {groups - 1} more" in text
    assert text.count("images, equal pixels:") == 1


def test_the_command_compares_with_other_files(bundle, original):
    text = run(bundle, "--against", original)
    assert f"against {original}" in text.replace("\n", "")
    assert "images have a twin in dlrsd original-2100 all" in text
    assert "alike" in text


def test_json_holds_the_same_figures(bundle, original):
    content = json.loads(run(bundle, "--against", original, "--distance", 20, "--json"))
    found = find_duplicates(PreparedDataset(bundle).manifest, distance=20)
    assert content["distance"] == 20
    assert content["inside"]["distinct_pictures"] == found.distinct_pictures
    assert content["inside"]["groups_in_all"] == len(content["inside"]["groups"]) == len(found.groups)
    assert content["inside"]["twins"][0]["exact"] == found.twins[0].exact
    assert [entry["variant"] for entry in content["against"]] == ["original-2100"]
    limited = json.loads(run(bundle, "--limit-listed", 1, "--json"))["inside"]
    assert (len(limited["groups"]), limited["groups_in_all"]) == (1, len(found.groups))


def test_names_from_data_cannot_change_how_they_are_printed(tmp_path):
    write_seen(tmp_path, "vdd", {name: ("train", picture(0)) for name in ("[red]one", "[/]two")})
    assert "train: [/]two, [red]one" in run(tmp_path / "vdd.h5")


def test_without_twins_the_command_says_so(tmp_path):
    write_seen(tmp_path, "vdd", {"a": ("train", picture(0)), "b": ("val", picture(1))})
    write_seen(tmp_path, "udd5", {"c": ("train", picture(2))})
    text = run(tmp_path / "vdd.h5", "--against", tmp_path / "udd5.h5")
    assert "No image has a twin" in text
    assert "No image of one is in the other" in text


def test_drawn_pictures_differ_and_their_copies_are_near():
    # What the tests of held-out runs rely on.
    samples = [a_sample(f"{number}", "train", picture(number)) for number in range(36)]
    assert find_duplicates(manifest(*samples)).groups == ()
    copied = [a_sample(f"{number}", "val", like(picture(number))) for number in range(36)]
    seen = seen_among(copied, samples)
    assert seen.near.all()
