"""Every known trap of the eight data sets, planted in a drawn download: preparing it names the cause.

Wrong labels are errors, what looks wrong is a doubt that stops as well; the
words tell what is wrong, so that nobody has to look for it. What is missing or damaged is tested
in ``test_traps_in_files.py``.
"""

import io
import re

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.errors import DataError
from ovrisisbench.prepare import PreparedDataset, prepare
from tests.drawn import damage, dlrsd, isaid, loveda, potsdam, uavid, udd5, vaihingen, vdd

DRAWN = {
    "dlrsd": dlrsd, "isaid": isaid, "loveda": loveda, "potsdam": potsdam, "uavid": uavid, "udd5": udd5,
    "vaihingen": vaihingen, "vdd": vdd,
}  # fmt: skip
CLASSES = {"dlrsd": 17, "potsdam": 6, "vaihingen": 6, "uavid": 8, "udd5": 5, "vdd": 7, "loveda": 8}
LAYOUTS = ["draw_bundle", "draw_publisher_folders", "draw_publisher_zips"]


def refused(key, root, *words, variant=None):
    """Prepare, expect a refusal, and find all words in it."""
    with pytest.raises(DataError) as caught:
        prepare(key, root, root / "data", workers=1, card=DRAWN[key].drawn_card(), variant=variant)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert ("cannot be used as it is" in message) != ("looks wrong" in message and "--allow-doubtful" in message)
    assert not list((root / "data").glob("*.h5"))
    return message


@pytest.mark.parametrize("draw", LAYOUTS)
@pytest.mark.parametrize("key", DRAWN)
def test_without_a_trap_nothing_is_warned_of(tmp_path, key, draw):
    getattr(DRAWN[key], draw)(tmp_path)
    report = prepare(key, tmp_path, tmp_path / "data", workers=1, card=DRAWN[key].drawn_card())
    assert not report.partial
    # Four drawn scenes of iSAID do not hold all classes.
    assert [finding.subject for finding in report.findings] == (["classes"] if key == "isaid" else [])


def ids(key):
    """What the masks of the right bundle hold, in the order of the drawn classes."""
    return (1, 2, 3, 4, 5, 6, 7, 0) if key == "loveda" else tuple(range(CLASSES[key]))


@pytest.mark.parametrize("key", CLASSES)
def test_labels_counted_from_one(tmp_path, key):
    DRAWN[key].draw_bundle(tmp_path, values=tuple(value + 1 for value in ids(key)))
    refused(key, tmp_path, f"found 1..{CLASSES[key]} in", "every class is one too high")


@pytest.mark.parametrize("background", [0, 255])
def test_isaids_own_ids_in_the_bundle(tmp_path, background):
    isaid.draw_bundle(tmp_path)
    table = [*range(1, 16), *range(15, 255), background]
    damage.rewrite(tmp_path, "D2masks/*.png", damage.renumbered(table))
    message = refused("isaid", tmp_path, "every class is one too high")
    assert ("with 0 for what belongs to no class" in message) == (background == 0)


def test_unlabelled_pixels_counted_as_the_first_class(tmp_path):
    isaid.draw_bundle(tmp_path)
    damage.rewrite(tmp_path, "D2masks/*.png", damage.renumbered([*range(255), 0]))
    refused("isaid", tmp_path, "ignored pixels: expected 2 % to 90 %, found not one", "off by one")


@pytest.mark.parametrize("key", CLASSES)
def test_one_more_than_the_last_class_for_ignored_pixels(tmp_path, key):
    count = CLASSES[key]
    values = [count if position == 1 else value for position, value in enumerate(ids(key))]
    DRAWN[key].draw_bundle(tmp_path, values=values)
    refused(key, tmp_path, f"{count}, one more than the last class, probably stands for ignored pixels")


def test_fifteen_for_ignored_pixels_of_isaid(tmp_path):
    isaid.draw_bundle(tmp_path)
    damage.rewrite(tmp_path, "D2masks/*.png", damage.renumbered([*range(255), 15]))
    refused("isaid", tmp_path, "15, one more than the last class, probably stands for ignored pixels")


@pytest.mark.parametrize(("key", "pattern"), [("isaid", "*_instance_color_RGB.png"), ("uavid", "Labels/*.png")])
def test_masks_with_reversed_channels(tmp_path, key, pattern):
    DRAWN[key].draw_publisher_folders(tmp_path)
    damage.rewrite(tmp_path, pattern, damage.reversed_channels)
    refused(key, tmp_path, "the channels are in reverse order: blue, green, red (BGR)")


@pytest.mark.parametrize(
    ("key", "pattern"), [("potsdam", "5_Labels_all/*.tif"), ("vaihingen", "*truth_COMPLETE/*.tif")]
)
def test_reversed_channels_that_turn_each_class_colour_into_another(tmp_path, key, pattern):
    DRAWN[key].draw_publisher_folders(tmp_path)
    damage.rewrite(tmp_path, pattern, damage.reversed_channels)
    refused(key, tmp_path, "order of the ids", "masks whose colour channels were reversed (BGR)")


def test_the_instance_mask_under_the_name_of_the_semantic_one(tmp_path):
    isaid.draw_publisher_folders(tmp_path)
    damage.put_in_place(tmp_path, "*_color_RGB.png", lambda path: path.name.replace("color", "id"))
    refused("isaid", tmp_path, "these look like instance masks", "use the semantic masks")


def test_instance_masks_alone(tmp_path):
    isaid.draw_publisher_folders(tmp_path)
    damage.remove(tmp_path, "Semantic_masks")
    with pytest.raises(DataError, match=r"4 instance mask\(s\) _instance_id_RGB, but no semantic mask"):
        prepare("isaid", tmp_path, tmp_path / "data", workers=1, card=isaid.drawn_card())


def test_eroded_labels_under_the_name_of_full_ones_in_potsdam(tmp_path):
    potsdam.draw_publisher_folders(tmp_path)
    damage.put_in_place(tmp_path, "*_label.tif", lambda path: f"{path.stem}_noBoundary.tif")
    refused("potsdam", tmp_path, "eroded boundaries under the name of full ones")


def test_eroded_labels_under_the_name_of_full_ones_in_vaihingen(tmp_path):
    vaihingen.draw_publisher_folders(tmp_path)
    for path in (tmp_path / vaihingen.LABELS).glob("*.tif"):
        path.write_bytes((tmp_path / vaihingen.ERODED / f"{path.stem}_noBoundary.tif").read_bytes())
    refused("vaihingen", tmp_path, "eroded boundaries under the name of full ones")


@pytest.mark.parametrize("key", ["potsdam", "vaihingen"])
def test_eroded_labels_in_the_bundle(tmp_path, key):
    DRAWN[key].draw_bundle(tmp_path)
    damage.rewrite(tmp_path, "D2masks/*.png", _with_ignored_borders)
    refused(key, tmp_path, "eroded boundaries under the name of full ones")


def _with_ignored_borders(image):
    pixels = np.asarray(image).copy()
    pixels[::10] = 255
    return pixels


def test_full_labels_under_the_name_of_eroded_ones(tmp_path):
    potsdam.draw_publisher_folders(tmp_path)
    damage.put_in_place(tmp_path, "*_label_noBoundary.tif", lambda path: path.name.replace("_noBoundary", ""))
    refused("potsdam", tmp_path, "full labels under the name of those with eroded", variant="grid-256-eroded")


def test_infrared_pictures_under_the_name_of_true_colours(tmp_path):
    potsdam.draw_publisher_folders(tmp_path)
    damage.put_in_place(tmp_path, "*_RGB.tif", lambda path: path.name.replace("RGB", "IRRG"))
    refused("potsdam", tmp_path, "the pictures hold near infrared, red, green in place of red, green, blue")


def test_a_doubt_can_be_overruled_and_stays_in_the_file(tmp_path):
    potsdam.draw_publisher_folders(tmp_path)
    damage.put_in_place(tmp_path, "*_RGB.tif", lambda path: path.name.replace("RGB", "IRRG"))
    refused("potsdam", tmp_path, "near infrared")
    report = prepare("potsdam", tmp_path, tmp_path / "data", workers=1, card=potsdam.drawn_card(), allow_doubtful=True)
    assert [finding.subject for finding in report.findings if finding.severity == "doubt"] == ["bands"]
    assert any("near infrared" in warning for warning in PreparedDataset(report.target).manifest.warnings)
    assert not report.partial


def test_an_error_cannot_be_overruled(tmp_path):
    udd5.draw_bundle(tmp_path, values=(1, 2, 3, 4, 5))
    with pytest.raises(DataError, match="cannot be used as it is"):
        prepare("udd5", tmp_path, tmp_path / "data", workers=1, card=udd5.drawn_card(), allow_doubtful=True)


def test_infrared_windows_in_the_bundle_of_potsdam(tmp_path):
    potsdam.draw_bundle(tmp_path)
    vegetation = np.array([0, 0, 1, 1, 0, 0], bool)
    for path in sorted((tmp_path / "Potsdam/imgs").iterdir()):
        mask = np.asarray(Image.open(tmp_path / "Potsdam/D2masks" / path.name.replace("_RGB_", "_label_")))
        red, green, _ = np.moveaxis(np.asarray(Image.open(path)), 2, 0)
        infrared = np.where(vegetation[mask], np.uint8(180), red)
        Image.fromarray(np.dstack([infrared, red, green])).save(path)
    refused("potsdam", tmp_path, "near infrared, red, green in place of red, green, blue")


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ((2, 1, 0), "the bands are in reverse order (green, red, near infrared)"),
        ((1, 2, 0), "near infrared is the third band"),
        ((1, 0, 2), "the bands are in another order"),
        ((0, 2, 1), "the second and the third band are exchanged"),
    ],
)
def test_vaihingen_with_reordered_bands(tmp_path, bands, words):
    vaihingen.draw_publisher_folders(tmp_path)
    damage.rewrite(tmp_path, "top/*.tif", damage.reordered(bands))
    refused("vaihingen", tmp_path, words)


def test_true_colours_in_vaihingen(tmp_path):
    vaihingen.draw_bundle(tmp_path)
    for scene in vaihingen.scenes():
        for path in (tmp_path / "Vaihingen/imgs").glob(f"*{scene.name}_*"):
            Image.fromarray(scene.picture[:256, :256]).save(path)
            Image.fromarray(scene.labels[:256, :256]).save(tmp_path / "Vaihingen/D2masks" / path.name)
    refused("vaihingen", tmp_path, "true colours (red, green, blue)")


def test_labels_that_have_overwritten_the_images_of_the_same_names(tmp_path):
    vaihingen.draw_publisher_folders(tmp_path)
    for path in (tmp_path / vaihingen.LABELS).glob("*.tif"):
        (tmp_path / vaihingen.IMAGES / "top" / path.name).write_bytes(path.read_bytes())
    refused("vaihingen", tmp_path, "label pictures, which have overwritten the images of the same names")


def test_udd6_in_place_of_udd5_shows_by_its_sixth_id(tmp_path):
    udd5.draw_publisher_folders(tmp_path)
    for path in tmp_path.rglob("UDD6/*/gt/*.png"):
        (tmp_path / path.as_posix().replace("UDD6", "UDD5")).write_bytes(path.read_bytes())
    refused("udd5", tmp_path, "found 0..5", "these are masks of UDD6")


def test_udd6_without_its_sixth_id_shows_by_the_colour_of_plants(tmp_path):
    udd5.draw_bundle(tmp_path, values=(3, 1, 2, 4, 0))
    refused("udd5", tmp_path, "look less like plants than those of other labels", "the ids are those of UDD6")


def test_vdd_in_place_of_udd5(tmp_path):
    udd5.draw_bundle(tmp_path, values=(3, 6, 2, 4, 0))
    refused("udd5", tmp_path, "these are masks of VDD")


def test_udd5s_order_in_vdd(tmp_path):
    vdd.draw_bundle(tmp_path, values=(4, 1, 2, 0, 3, 1, 4))
    refused("vdd", tmp_path, "the ids are those of UDD5")


def test_the_toolkits_order_in_the_bundle_of_uavid(tmp_path):
    uavid.draw_bundle(tmp_path, values=uavid.TOOLKIT_ORDER)
    refused("uavid", tmp_path, "Moving car 2", "the ids are those of UAVidToolKit, with which all of it fits")


def test_the_toolkits_order_with_one_class_of_cars(tmp_path):
    uavid.draw_bundle(tmp_path, values=(0, 1, 2, 4, 5, 3, 3, 6))
    refused("uavid", tmp_path, "the ids are those of UAVidToolKit with one class of cars (SegEarth-OV)")


@pytest.mark.parametrize("key", ["potsdam", "vaihingen"])
def test_torchgeos_order_in_the_bundle(tmp_path, key):
    DRAWN[key].draw_bundle(tmp_path, values=(1, 2, 3, 4, 5, 0))
    refused(key, tmp_path, "the ids are those of torchgeo (clutter first)")


@pytest.mark.parametrize("variant", ["v1-8-classes", "v2-7-classes"])
def test_background_and_no_data_exchanged(tmp_path, variant):
    loveda.draw_publisher_folders(tmp_path)
    damage.rewrite(tmp_path, "masks_png/*.png", damage.renumbered([1, 0]))
    refused(
        "loveda", tmp_path, "the ids are those of copies in which background and no-data are exchanged", variant=variant
    )


@pytest.mark.parametrize("variant", ["v1-8-classes", "v2-7-classes"])
def test_loveda_reduced_by_one_with_255_for_no_data(tmp_path, variant):
    loveda.draw_bundle(tmp_path, values=(0, 1, 2, 3, 4, 5, 6, 255))
    refused("loveda", tmp_path, "every value was already reduced by one: 0 became 255", variant=variant)


@pytest.mark.parametrize("variant", ["v1-8-classes", "v2-7-classes"])
def test_loveda_reduced_by_one_without_a_trace_of_no_data(tmp_path, variant):
    loveda.draw_bundle(tmp_path, values=(0, 1, 2, 3, 4, 5, 6, 0))
    refused("loveda", tmp_path, "the ids are those of version 2 of the benchmark", variant=variant)


@pytest.mark.parametrize(
    ("draw", "pattern"), [("draw_publisher_folders", "DLRSD/**/*.png"), ("draw_bundle", "D2masks/*.png")]
)
def test_the_palette_of_dlrsd_converted_to_grey(tmp_path, draw, pattern):
    getattr(dlrsd, draw)(tmp_path)
    damage.rewrite(tmp_path, pattern, _in_colours if draw == "draw_bundle" else damage.to_colours)
    damage.rewrite(tmp_path, pattern, damage.to_grey)
    refused("dlrsd", tmp_path, "the palette was converted to grey")


@pytest.mark.parametrize(
    ("draw", "pattern"), [("draw_publisher_folders", "DLRSD/**/*.png"), ("draw_bundle", "D2masks/*.png")]
)
def test_the_palette_of_dlrsd_converted_to_colours(tmp_path, draw, pattern):
    getattr(dlrsd, draw)(tmp_path)
    damage.rewrite(tmp_path, pattern, _in_colours if draw == "draw_bundle" else damage.to_colours)
    refused("dlrsd", tmp_path, "the palette was converted to colours")


def _in_colours(image):
    return np.array(dlrsd.palette()[1:], np.uint8)[np.asarray(image)]


def test_ids_of_dlrsd_already_reduced_by_one(tmp_path):
    dlrsd.draw_publisher_folders(tmp_path)
    damage.rewrite(tmp_path, "DLRSD/**/*.png", damage.shifted(-1))
    refused("dlrsd", tmp_path, "found 0..16", "every value was already reduced by one")


def test_indices_of_dlrsd_reduced_once_more(tmp_path):
    dlrsd.draw_bundle(tmp_path)
    damage.rewrite(tmp_path, "D2masks/*.png", damage.shifted(-1))
    words = "every value was reduced by one: the lowest class became 255 and the last one is gone"
    assert "bands" not in refused("dlrsd", tmp_path, words)


def test_masks_multiplied_to_be_seen(tmp_path):
    uavid.draw_bundle(tmp_path, values=tuple(range(0, 240, 30)))
    refused("uavid", tmp_path, "the ids were multiplied by 30")


def test_resized_masks_and_masks_that_were_jpeg(tmp_path):
    isaid.draw_publisher_folders(tmp_path / "a")
    damage.rewrite(tmp_path / "a", "*_color_RGB.png", _smoothed)
    refused("isaid", tmp_path / "a", "the masks were resized or smoothed")
    isaid.draw_publisher_folders(tmp_path / "b")
    damage.rewrite(tmp_path / "b", "*_color_RGB.png", _through_jpeg)
    refused("isaid", tmp_path / "b", "the masks were once stored as JPEG")


def _smoothed(image):
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.BILINEAR)
    return half.resize(image.size, Image.Resampling.BILINEAR)


def _through_jpeg(image):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("key", ["uavid", "isaid"])
def test_grey_masks_where_colours_are_expected(tmp_path, key):
    DRAWN[key].draw_publisher_folders(tmp_path)
    damage.rewrite(tmp_path, {"uavid": "Labels/*.png", "isaid": "*_color_RGB.png"}[key], damage.to_grey)
    refused(key, tmp_path, "the class colours were converted to grey")


@pytest.mark.parametrize(
    ("key", "drawn", "wanted"),
    [("potsdam", "512", "256"), ("potsdam", "256", "512"), ("vaihingen", "512", "256"), ("vaihingen", "256", "512")],
)
def test_windows_of_another_variant(tmp_path, key, drawn, wanted):
    DRAWN[key].draw_bundle(tmp_path, variant=f"grid-{drawn}")
    message = refused(key, tmp_path, f"expected {wanted}x{wanted} pixels", variant=f"grid-{wanted}")
    (choice,) = re.findall(r"--variant (\S+)\.", message)
    assert choice == f"grid-{drawn}"
    report = prepare(key, tmp_path, tmp_path / "data", workers=1, card=DRAWN[key].drawn_card(), variant=choice)
    assert report.findings == ()
