"""Files that are missing, damaged, misnamed, in the way or malicious: preparing a drawn download names each."""

import json
import shutil
import stat
import struct
import zipfile

import pytest
from PIL import Image

from ovrisisbench.errors import DataError
from ovrisisbench.prepare import prepare
from ovrisisbench.prepare.download import sources
from tests.drawn import damage, dlrsd, isaid, loveda, potsdam, uavid, udd5, vaihingen, vdd
from tests.drawn.writing import RUBBISH, write_files, write_zip, zipped

DRAWN = {
    "dlrsd": dlrsd, "isaid": isaid, "loveda": loveda, "potsdam": potsdam, "uavid": uavid, "udd5": udd5,
    "vaihingen": vaihingen, "vdd": vdd,
}  # fmt: skip


def prepared(key, root, target, **options):
    return prepare(key, root, target, workers=1, card=DRAWN[key].drawn_card(), **options)


def refused(key, root, *words, **options):
    with pytest.raises(DataError) as caught:
        prepared(key, root, root.parent / "data", **options)
    for word in words:
        assert word in str(caught.value)
    return str(caught.value)


def partial(key, root, *words):
    """Expect a refusal, and the same words in the report of a partial preparation."""
    refused(key, root, "is not complete", *words)
    report = prepared(key, root, root.parent / "data", allow_partial=True)
    assert report.partial
    for word in words:
        assert word in " ".join(report.partial_reasons)
    return report


@pytest.mark.parametrize(
    ("key", "patterns", "words"),
    [
        ("loveda", ["Val"], "split val: expected 2 images"),
        ("uavid", ["uavid_val"], "split val: expected 4 images"),
        ("udd5", ["UDD5/val"], "split val: expected 2 images"),
        ("isaid", ["val"], "split val: expected 2 images"),
        ("potsdam", ["*_2_13_*", "*_7_13_*"], "split test: expected 2 images"),
        ("vaihingen", ["*area2.tif", "*area38.tif"], "split test: expected 2 images"),
    ],
)
def test_a_missing_split(tmp_path, key, patterns, words):
    damage.remove(DRAWN[key].draw_publisher_folders(tmp_path / "in"), *patterns)
    partial(key, tmp_path / "in", words, "found 0, so its folder or archives are missing")


def test_a_missing_split_where_only_the_sum_is_known(tmp_path):
    damage.remove(vdd.draw_publisher_folders(tmp_path / "in"), "VDD/test")
    partial("vdd", tmp_path / "in", "all splits: expected 6 images", "found 5, so an archive is probably missing")


def test_a_missing_split_of_the_bundle(tmp_path):
    damage.remove(dlrsd.draw_bundle(tmp_path / "in"), "DLRSD_split/val")
    partial("dlrsd", tmp_path / "in", "split val: expected 7 images", "found 0")


PICTURES = {
    "dlrsd": ("*.tif", "DLRSD/**/*.png"), "potsdam": ("*_RGB.tif", "*_label.tif"), "loveda": ("Rural/images_png/1.png",
    "Rural/masks_png/1.png"), "vaihingen": ("top/*.tif", "*truth_COMPLETE/*.tif"), "vdd": ("src/*.JPG", "gt/*.png"),
    "udd5": ("UDD5/*/src/*.JPG", "UDD5/*/gt/*.png"), "uavid": ("uavid_train/*/Images/*.png", "Labels/*.png"),
    "isaid": ("images/P????.png", "*_color_RGB.png"),
}  # fmt: skip
"""Patterns of images and of masks."""
BUNDLED = {
    "dlrsd": ("imgs/*.jpg", "D2masks/*.png"), "potsdam": ("imgs/*.png", "D2masks/*.png"), "vdd": ("src/*.JPG",
    "gt/*.png"), "uavid": ("Images/*.png", "Labels/*.png"), "loveda": ("images_png/*.png", "masks_png/*.png"),
    "udd5": ("src/*.JPG", "gt/*.png"), "isaid": ("images/*.png", "D2masks/*.png"),
}  # fmt: skip


@pytest.mark.parametrize("which", [0, 1], ids=["image", "mask"])
@pytest.mark.parametrize("key", PICTURES)
def test_one_cut_off_file_is_named_and_costs_only_its_pair(tmp_path, key, which):
    path = damage.cut_off(DRAWN[key].draw_publisher_folders(tmp_path / "in"), PICTURES[key][which])
    report = partial(key, tmp_path / "in", f"found 1 ({path} is damaged or cut off")
    assert 0 < report.images < len(DRAWN[key].truth() if key != "isaid" else isaid.all_windows())


@pytest.mark.parametrize("which", [0, 1], ids=["masks alone", "images alone"])
@pytest.mark.parametrize("key", PICTURES)
def test_orphans_are_named_on_both_sides(tmp_path, key, which):
    damage.remove(DRAWN[key].draw_publisher_folders(tmp_path / "in"), PICTURES[key][which], first=True)
    words = "images without a mask" if which else "masks without an image"
    partial(key, tmp_path / "in", f"{words}: expected none, found 1 (")


@pytest.mark.parametrize("which", [0, 1], ids=["masks alone", "images alone"])
@pytest.mark.parametrize("key", BUNDLED)
def test_orphans_in_the_bundle_shift_no_other_pair(tmp_path, key, which):
    damage.remove(DRAWN[key].draw_bundle(tmp_path / "in"), BUNDLED[key][which], first=True)
    words = "images without a mask" if which else "masks without an image"
    partial(key, tmp_path / "in", f"{words}: expected none, found 1 (")


def test_the_surplus_masks_of_the_bundle_of_vaihingen_are_noted_and_not_missed(tmp_path):
    report = prepared("vaihingen", vaihingen.draw_bundle(tmp_path / "in"), tmp_path / "data")
    assert not report.partial
    assert any("mask(s) have no image and were left out" in note for note in report.notes)


@pytest.mark.parametrize("key", ["udd5", "vdd"])
def test_small_letters_in_jpg_are_read_and_noted(tmp_path, key):
    root = DRAWN[key].draw_publisher_folders(tmp_path / "in")
    for path in sorted(root.rglob("*.JPG")):
        path.rename(path.with_suffix(".jpg"))
    report = prepared(key, root, tmp_path / "data")
    assert not report.partial
    assert any("end in .jpg, not as published" in note for note in report.notes)


NAMES = ["Impervious surfaces", "Building", "Low vegetation", "Tree", "Car", "Clutter/background"]


def test_the_list_of_class_names_that_overwrote_the_other_is_a_warning(tmp_path):
    root = potsdam.draw_bundle(tmp_path / "in")
    write_files(root, {"datasets/Potsdam.json": json.dumps(NAMES[:5]).encode()})
    (finding,) = prepared("potsdam", root, tmp_path / "data").findings
    assert finding.severity == "warning"
    assert "has replaced it, as happens on a disk that ignores case" in finding.cause


def test_both_lists_of_class_names_side_by_side_are_a_warning(tmp_path):
    root = potsdam.draw_bundle(tmp_path / "in")
    both = {"Potsdam.json": NAMES, "other/potsdam.json": [name.lower() for name in NAMES[:5]]}
    write_files(root, {name: json.dumps(names).encode() for name, names in both.items()})
    (finding,) = prepared("potsdam", root, tmp_path / "data").findings
    assert "other/potsdam.json" in finding.subject


@pytest.mark.parametrize("key", DRAWN)
def test_litter_of_operating_systems_changes_nothing(tmp_path, key):
    root = DRAWN[key].draw_publisher_folders(tmp_path / "in")
    before = prepared(key, root, tmp_path / "data", check=True)
    for folder in [path for path in root.rglob("*") if path.is_dir()]:
        for name in sorted(path.name for path in folder.iterdir() if path.is_file()):
            shadow = root / "__MACOSX" / folder.relative_to(root)
            write_files(shadow, {f"._{name}": b"mac", name: b"mac"})
            (folder / f"._{name}").write_bytes(b"mac")
        write_files(folder, {"Thumbs.db": b"windows", "desktop.ini": b"windows", ".DS_Store": b"mac"})
    after = prepared(key, root, tmp_path / "data", check=True)
    assert (after.digest, after.findings, after.notes) == (before.digest, before.findings, before.notes)


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "compressed"])
@pytest.mark.parametrize("key", ["potsdam", "vaihingen"])
def test_zips_in_zips_are_read_and_nothing_is_left_behind(tmp_path, key, stored):
    root = DRAWN[key].draw_publisher_nested_zip(tmp_path / "in", stored=stored)
    report = prepared(key, root, tmp_path / "data")
    plain = prepared(key, DRAWN[key].draw_publisher_folders(tmp_path / "plain"), tmp_path / "other")
    assert report.digest == plain.digest
    assert not [path for path in (tmp_path / "data").iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    "name", ["../escaped.png", "VDD/../../escaped.png", "/escaped.png", "VDD\\..\\escaped.png", "C:/x.png"]
)
def test_members_that_leave_the_folder_are_refused(tmp_path, name):
    root = vdd.draw_publisher_zips(tmp_path / "in")
    write_zip(root / "more.zip", {name: b"x"})
    refused("vdd", root, "more.zip", "points outside the archive")
    assert not list(tmp_path.rglob("*escaped*"))


def test_members_of_inner_zips_that_leave_the_folder_are_refused(tmp_path):
    inner = zipped({"../escaped.tif": b"x"})
    for number, stored in enumerate([True, False]):
        root = tmp_path / str(number)
        write_zip(root / "Potsdam.zip", {"Potsdam/2_Ortho_RGB.zip": inner}, stored=stored)
        refused("potsdam", root, "Potsdam.zip/Potsdam/2_Ortho_RGB.zip", "points outside the archive")


def test_members_that_are_links_are_refused(tmp_path):
    root = vdd.draw_publisher_zips(tmp_path / "in")
    info = zipfile.ZipInfo("VDD/train/src/DJI_10507.JPG")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(root / "more.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused("vdd", root, "more.zip", "is a link")


def test_a_member_that_declares_an_implausible_size_is_not_unpacked(tmp_path, monkeypatch):
    root = vdd.draw_publisher_zips(tmp_path / "in")
    monkeypatch.setattr(sources, "MAX_MEMBER_BYTES", 1000)
    refused("vdd", root, "VDD.zip/VDD/", "would unpack to", "do not use this archive")


def test_a_member_that_is_larger_than_it_declares_is_damaged(tmp_path):
    root = vdd.draw_publisher_zips(tmp_path / "in")
    _declare(root / "VDD.zip", b"VDD/train/gt/DJI_10507.png", 100)
    report = partial("vdd", root, "VDD.zip/VDD/train/gt/DJI_10507.png is damaged or cut off")
    assert report.images == 5


def test_an_inner_zip_that_declares_more_than_its_limit_is_not_unpacked(tmp_path, monkeypatch):
    root = potsdam.draw_publisher_nested_zip(tmp_path / "in", stored=False)
    monkeypatch.setattr(sources, "MAX_INNER_BYTES", 10_000)
    refused("potsdam", root, "Potsdam.zip/Potsdam/", "would unpack", "do not use this archive")
    assert not list((tmp_path / "data").rglob("*.zip"))


def test_an_inner_zip_that_shrank_implausibly_is_not_unpacked(tmp_path, monkeypatch):
    bomb = zipped({"top_potsdam_2_10_RGB.tif": bytes(11 * 2**20)}, stored=True)
    write_zip(tmp_path / "in" / "Potsdam.zip", {"Potsdam/2_Ortho_RGB.zip": bomb})
    monkeypatch.setattr(sources, "MAX_INNER_RATIO", 10)
    refused("potsdam", tmp_path / "in", "Potsdam.zip/Potsdam/2_Ortho_RGB.zip would unpack from 0.0 MiB")
    assert not list((tmp_path / "data").rglob("*.zip"))


def test_an_inner_zip_that_is_larger_than_it_declares_is_damaged(tmp_path):
    root = potsdam.draw_publisher_nested_zip(tmp_path / "in", stored=False)
    _declare(root / "Potsdam.zip", b"Potsdam/2_Ortho_RGB.zip", 5000)
    refused("potsdam", root, "Potsdam.zip/Potsdam/2_Ortho_RGB.zip is damaged or cut off")
    assert not [path for path in (tmp_path / "data").rglob("*.zip") if path.stat().st_size > 5000]


def _declare(path, member, size):
    """Change the unpacked size that a zip's directory declares for a member."""
    content = bytearray(path.read_bytes())
    entry = content.rindex(member) - 46
    assert content[entry : entry + 4] == b"PK\1\2"
    struct.pack_into("<I", content, entry + 24, size)
    path.write_bytes(content)


@pytest.mark.parametrize("side", ["image", "mask"])
def test_a_tile_of_dlrsd_that_was_cropped_alone_is_not_paired(tmp_path, side):
    root = dlrsd.draw_publisher_folders(tmp_path / "in")
    path = root / ("UCMerced_LandUse" if side == "image" else "DLRSD") / "Images/river"
    damage.rewrite(path, f"{dlrsd.ODD_TILE}.*", lambda image: image.crop((0, 0, 256, 256)))
    report = partial("dlrsd", root, f"{dlrsd.ODD_TILE}.tif has 256x25", "cropped alone, or belongs to another image")
    assert report.images == 9


def test_images_and_labels_of_vaihingen_in_one_folder_are_not_read_as_either(tmp_path):
    root = vaihingen.draw_publisher_folders(tmp_path / "in")
    shutil.copytree(root / vaihingen.LABELS, root / vaihingen.IMAGES / "top", dirs_exist_ok=True)
    shutil.rmtree(root / vaihingen.LABELS)
    shutil.rmtree(root / vaihingen.ERODED)
    refused("vaihingen", root, "no download of ISPRS Vaihingen that is known here")


@pytest.mark.parametrize("key", ["uavid", "isaid"])
def test_bmp_content_under_the_name_of_png_is_read(tmp_path, key):
    root = DRAWN[key].draw_publisher_folders(tmp_path / "in")
    before = prepared(key, root, tmp_path / "data", check=True)
    for path in sorted(root.rglob("*.png")):
        with Image.open(path) as image:
            pixels = image.copy()
        pixels.save(path, "BMP")
    assert prepared(key, root, tmp_path / "data", check=True).digest == before.digest


def test_the_labels_shifted_by_one_beside_the_right_ones_are_passed_over(tmp_path):
    for key in ("potsdam", "vaihingen"):
        report = prepared(key, DRAWN[key].draw_bundle(tmp_path / key, shifted=True), tmp_path / "data")
        assert any("OVS_label holds the same masks with every value one too high" in note for note in report.notes)


def test_rubbish_in_archives_is_left_out(tmp_path):
    write_zip(tmp_path / "in" / "more.zip", RUBBISH)
    report = prepared("vdd", vdd.draw_publisher_zips(tmp_path / "in"), tmp_path / "data")
    assert report.findings == ()
