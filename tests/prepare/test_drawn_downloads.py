"""The drawn downloads are what they pretend to be: true to life in colour, to the publisher in form."""

import itertools
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.catalog import load_card
from tests.drawn import dlrsd, isprs, loveda, potsdam, uavid, udd5, vaihingen, vdd
from tests.drawn.writing import decoded, jpeg

ALL = {
    "dlrsd": dlrsd, "loveda": loveda, "potsdam": potsdam, "vaihingen": vaihingen, "uavid": uavid, "udd5": udd5,
    "vdd": vdd,
}  # fmt: skip
PLANTS = {
    "dlrsd": ("chaparral", "field", "grass", "trees"), "loveda": ("forest", "agriculture"),
    "potsdam": ("Low vegetation", "Tree"), "vaihingen": ("Low vegetation", "Tree"), "uavid": ("Tree", "Low vegetation"),
    "udd5": ("Vegetation",), "vdd": ("vegetation",),
}  # fmt: skip
WATER = {"dlrsd": ("sea", "water"), "loveda": ("water",), "vdd": ("water",)}
RARE = {
    "dlrsd": ("cars",), "potsdam": ("Car",), "vaihingen": ("Car",), "uavid": ("Moving car", "Static car", "Human"),
    "udd5": ("Vehicle",), "vdd": ("vehicle",),
}  # fmt: skip


def pixels(key: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Colour (n, 3) and near infrared (n,) of all pixels of one class, as floats."""
    card = load_card(key)
    position = [label.name for label in (*card.classes, *card.other_labels)].index(name)
    chosen = [(scene.picture[where], scene.infrared[where]) for scene, where in _where(key, position)]
    return np.concatenate([colour for colour, _ in chosen]).astype(float), np.concatenate([n for _, n in chosen]) * 1.0


def _where(key: str, position: int):
    return [(scene, scene.labels == position) for scene in ALL[key].scenes()]


@pytest.mark.parametrize("key", ALL)
def test_every_class_occurs_and_small_things_are_rare(key):
    total = sum(scene.labels.size for scene in ALL[key].scenes())
    for label in load_card(key).classes:
        share = len(pixels(key, label.name)[1]) / total
        assert share > 0.001
        if label.name in RARE.get(key, ()):
            assert share < 0.03


@pytest.mark.parametrize("key", ALL)
def test_vegetation_is_green_and_bright_in_near_infrared_and_nothing_else_is(key):
    for label in load_card(key).classes:
        colour, infrared = pixels(key, label.name)
        red, green, blue = colour.mean(axis=0)
        greenness, ratio = 2 * green - red - blue, infrared.mean() / red
        if label.name in PLANTS[key]:
            assert greenness > 30
            assert ratio > 1.3
        else:
            assert greenness < 15
            assert ratio < 1.15
        if label.name in WATER.get(key, ()):
            assert blue > max(red, green)
            assert max(red, green, infrared.mean()) < 80


def test_what_has_no_data_is_exactly_black_and_nothing_else_is():
    colour, infrared = pixels("loveda", "no-data")
    assert len(colour) > 1000
    assert not colour.any()
    assert not infrared.any()
    for scene in loveda.scenes():
        assert scene.picture[scene.labels != 7].any(axis=1).all()


def test_all_scenes_look_different():
    scenes = [(key, scene) for key, module in ALL.items() for scene in module.scenes()]
    prints = {(key, scene.name): fingerprint(scene.picture) for key, scene in scenes}
    closest = min(np.count_nonzero(a != b) for a, b in itertools.combinations(prints.values(), 2))
    assert closest >= 10
    assert len(prints) == len(scenes)


def test_a_copy_in_another_format_looks_the_same():
    for scene in dlrsd.scenes():
        assert np.count_nonzero(fingerprint(scene.picture) != fingerprint(decoded(jpeg(scene.picture)))) <= 4


def fingerprint(picture: np.ndarray) -> np.ndarray:
    """Where brightness rises from left to right in a picture shrunk to 8 rows."""
    small = Image.fromarray(picture).convert("L").resize((9, 8), Image.Resampling.BOX)
    return np.diff(np.asarray(small, int)) > 0


@pytest.mark.parametrize("key", ALL)
def test_splits_show_different_places(key):
    by_split: dict[str, set[bytes]] = {}
    for scene in ALL[key].scenes():
        by_split.setdefault(scene.split, set()).add(scene.picture.tobytes())
    assert sum(map(len, by_split.values())) == len(set().union(*by_split.values())) == len(ALL[key].scenes())


def kinds(root: Path) -> dict[str, set[tuple[str, str, str]]]:
    """Folder -> (ending, format, bands) of the pictures in it."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for path in root.rglob("*"):
        if path.suffix.lower() in (".png", ".tif", ".jpg"):
            with Image.open(path) as image:
                folder = str(path.parent.relative_to(root))
                found.setdefault(folder, set()).add((path.suffix, str(image.format), image.mode))
    return found


RGB_PNG, GREY_PNG, RGB_TIFF = {(".png", "PNG", "RGB")}, {(".png", "PNG", "L")}, {(".tif", "TIFF", "RGB")}
RGB_JPEG, HEIGHTS = {(".JPG", "JPEG", "RGB")}, {(".tif", "TIFF", "F")}


def test_dlrsd_is_tiff_and_palette_png(tmp_path):
    found = kinds(dlrsd.draw_publisher_folders(tmp_path))
    assert found["UCMerced_LandUse/Images/airplane"] == RGB_TIFF
    assert found["DLRSD/Images/airplane"] == {(".png", "PNG", "P")}
    seen: set[int] = set()
    for path in (tmp_path / "DLRSD").rglob("*.png"):
        with Image.open(path) as image:
            seen |= set(np.unique(np.asarray(image)).tolist())
            table = np.array(image.getpalette()).reshape(-1, 3)
        assert table[1].tolist() == [166, 202, 240]
        assert table[17].tolist() == [0, 255, 255]
    assert seen == set(range(1, 18))
    with Image.open(tmp_path / "DLRSD/Images/river/river00.png") as image:
        assert image.size == (257, 256)


def test_the_bundle_of_dlrsd_shows_a_tile_once_for_each_label_in_both_splits(tmp_path):
    found = kinds(dlrsd.draw_bundle(tmp_path, extra=True))
    assert found["DLRSD_split/train/imgs"] == {(".jpg", "JPEG", "RGB")}
    assert found["DLRSD_split/val/D2masks"] == GREY_PNG
    content = {
        split: {path.read_bytes() for path in (tmp_path / f"DLRSD_split/{split}/imgs").iterdir()}
        for split in ("train", "val")
    }
    assert content["train"] & content["val"]
    copies = dlrsd.copies()
    assert len(copies) == sum(len(np.unique(scene.labels)) for scene in dlrsd.scenes())
    assert {"Airplane00", "Airplane01", "BareSoil00", "MobileHome00"} <= set(copies)
    masks = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "DLRSD_split/train/D2masks").iterdir())]
    others = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "DLRSD_split/train/masks").iterdir())]
    assert all((mask + 1 == other).all() for mask, other in zip(masks, others, strict=True))


def test_loveda_has_three_parts_and_masks_for_two(tmp_path):
    found = kinds(loveda.draw_publisher_folders(tmp_path))
    assert found["Train/Rural/images_png"] == found["Test/Urban/images_png"] == RGB_PNG
    assert found["Val/Urban/masks_png"] == GREY_PNG
    assert not any("Test" in folder and "masks" in folder for folder in found)
    values = {
        value
        for path in tmp_path.rglob("masks_png/*.png")
        for value in np.unique(np.asarray(Image.open(path))).tolist()
    }
    assert values == set(range(8))


def test_potsdam_has_three_band_orders_and_two_kinds_of_labels(tmp_path):
    found = kinds(potsdam.draw_publisher_folders(tmp_path))
    assert found["2_Ortho_RGB/2_Ortho_RGB"] == found["5_Labels_all"] == found["5_Labels_all_noBoundary"] == RGB_TIFF
    assert found["1_DSM/1_DSM"] == HEIGHTS
    name = "top_potsdam_2_10_"
    with Image.open(tmp_path / f"4_Ortho_RGBIR/4_Ortho_RGBIR/{name}RGBIR.tif") as image:
        assert (image.tag_v2[277], image.tag_v2[338], image.tag_v2[262]) == (4, (0,), 2)
        stored = np.frombuffer(Path(image.filename).read_bytes()[8 : 8 + 600 * 560 * 4], np.uint8).reshape(600, 560, 4)
        four = np.asarray(image)[..., :3]
    scene = potsdam.scenes()[0]
    np.testing.assert_array_equal(stored, np.dstack([scene.picture, scene.infrared]))
    np.testing.assert_array_equal(four, scene.picture)
    false = np.asarray(Image.open(tmp_path / f"3_Ortho_IRRG/3_Ortho_IRRG/{name}IRRG.tif"))
    np.testing.assert_array_equal(false, stored[..., [3, 0, 1]])
    full = np.asarray(Image.open(tmp_path / f"5_Labels_all/{name}label.tif"))
    eroded = np.asarray(Image.open(tmp_path / f"5_Labels_all_noBoundary/{name}label_noBoundary.tif"))
    black = ~eroded.any(axis=2)
    assert 0.02 < black.mean() < 0.4
    assert full.any(axis=2).all()
    np.testing.assert_array_equal(full[~black], eroded[~black])


def test_a_soft_label_tile_stays_within_reach_of_its_colours(tmp_path):
    potsdam.draw_publisher_folders(tmp_path, kinds=("label",), own_folder=False, soft="6_7")
    card = load_card("potsdam")
    for scene in potsdam.scenes():
        soft = np.asarray(Image.open(tmp_path / f"5_Labels_all/top_potsdam_{scene.name}_label.tif")).astype(int)
        distance = abs(soft - isprs.label_picture(scene, card))
        assert distance.max() == (60 if scene.name == "6_7" else 0)


def test_vaihingen_is_false_colour_and_its_eroded_archive_has_a_stranger(tmp_path):
    found = kinds(vaihingen.draw_publisher_folders(tmp_path))
    assert found[f"{vaihingen.IMAGES}/top"] == found[vaihingen.LABELS] == found[vaihingen.ERODED] == RGB_TIFF
    assert found[f"{vaihingen.IMAGES}/dsm"] == HEIGHTS
    images = {path.name for path in (tmp_path / vaihingen.IMAGES / "top").iterdir()}
    labels = {path.name for path in (tmp_path / vaihingen.LABELS).iterdir()}
    eroded = {path.name.replace("_noBoundary", "") for path in (tmp_path / vaihingen.ERODED).iterdir()}
    assert images == labels
    assert eroded - images == {"top_mosaic_09cm_area9.tif"}
    scene = vaihingen.scenes()[0]
    picture = np.asarray(Image.open(tmp_path / vaihingen.IMAGES / "top" / f"top_mosaic_09cm_{scene.name}.tif"))
    np.testing.assert_array_equal(picture[..., 0], scene.infrared)
    np.testing.assert_array_equal(picture[..., 1:], scene.picture[..., :2])


def test_the_bundles_of_both_isprs_sets_have_their_odd_names(tmp_path):
    potsdam.draw_bundle(tmp_path, shifted=True)
    vaihingen.draw_bundle(tmp_path, shifted=True)
    images, masks = ({path.stem for path in (tmp_path / "Potsdam" / name).iterdir()} for name in ("imgs", "D2masks"))
    assert "top_potsdam_2_10_RGB_0_0" in images
    assert {name.replace("_RGB_", "_label_") for name in images} == masks
    images, masks = ({path.stem for path in (tmp_path / "Vaihingen" / name).iterdir()} for name in ("imgs", "D2masks"))
    assert images < masks
    for mask in tmp_path.rglob("D2masks/*.png"):
        shifted = np.asarray(Image.open(mask.parents[1] / "OVS_label" / mask.name))
        np.testing.assert_array_equal(np.asarray(Image.open(mask)) + 1, shifted)


@pytest.mark.parametrize(("mirror", "folder"), [(False, "uavid_val"), (True, "valid/valid")])
def test_uavid_has_sequences_with_coloured_masks(tmp_path, mirror, folder):
    found = kinds(uavid.draw_publisher_folders(tmp_path, mirror=mirror))
    assert found[f"{folder}/seq16/Images"] == found[f"{folder}/seq16/Labels"] == RGB_PNG
    assert not any("seq21" in name and "Labels" in name for name in found)
    mask = np.asarray(Image.open(tmp_path / folder / "seq16" / "Labels" / "000000.png")).reshape(-1, 3)
    colours = {label.colour for label in load_card("uavid").classes}
    assert {tuple(colour) for colour in np.unique(mask, axis=0).tolist()} <= colours
    assert len({scene.picture.shape for scene in uavid.scenes()}) == 2


def test_udd5_lies_beside_udd6_which_has_other_ids(tmp_path):
    found = kinds(udd5.draw_publisher_folders(tmp_path))
    for name in ("UDD5", "UDD6"):
        assert found[f"UDD/{name}/train/src"] == RGB_JPEG
        assert found[f"UDD/{name}/val/gt"] == GREY_PNG
    five, six = (np.asarray(Image.open(tmp_path / "UDD" / name / "train/gt/000001.png")) for name in ("UDD5", "UDD6"))
    assert set(np.unique(six[five == 1])) == {1, 5}
    assert all(set(np.unique(six[five == here])) == {there} for here, there in ((0, 3), (2, 2), (3, 4), (4, 0)))


def test_vdd_has_three_splits_of_jpegs(tmp_path):
    found = kinds(vdd.draw_publisher_folders(tmp_path, top="VDD/VDD"))
    for split in ("train", "val", "test"):
        assert found[f"VDD/VDD/{split}/src"] == RGB_JPEG
        assert found[f"VDD/VDD/{split}/gt"] == GREY_PNG
    assert set(kinds(vdd.draw_bundle(tmp_path / "bundle"))) == {"VDD/src", "VDD/gt"}


@pytest.mark.parametrize("key", ALL)
def test_the_archives_hold_what_the_folders_hold(tmp_path, key):
    folders, zips = ALL[key].draw_publisher_folders(tmp_path / "a"), ALL[key].draw_publisher_zips(tmp_path / "b")
    unpacked = {path.read_bytes() for path in folders.rglob("*") if path.is_file()}
    packed = set()
    for path in zips.iterdir():
        with zipfile.ZipFile(path) as archive:
            packed |= {archive.read(name) for name in archive.namelist()}
    assert unpacked <= packed
    assert all(len(content) < 1100 for content in packed - unpacked)


@pytest.mark.parametrize("module", [potsdam, vaihingen])
def test_an_archive_of_archives_is_stored_or_deflated(tmp_path, module):
    for stored in (True, False):
        outer = next(module.draw_publisher_nested_zip(tmp_path / str(stored), stored=stored).iterdir())
        with zipfile.ZipFile(outer) as archive:
            inner = [info for info in archive.infolist() if info.filename.endswith(".zip")]
            assert {info.compress_type for info in inner} == {zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED}
            with archive.open(inner[0]) as stream, zipfile.ZipFile(stream) as within:
                assert within.namelist()


@pytest.mark.parametrize("key", ALL)
def test_the_drawn_card_counts_what_is_drawn(key):
    module, card = ALL[key], ALL[key].drawn_card()
    for variant in card.variants:
        assert variant.total == len(module.truth(variant.name))
        assert not variant.name_digests
    splits = [scene.split for scene in module.scenes()]
    for split in card.splits:
        if split.labelled:
            assert split.labelled == splits.count(split.name)
