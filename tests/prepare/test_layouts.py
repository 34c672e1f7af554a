"""From every known form of every download to exactly the drawn pixels and labels."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.errors import DataError
from ovrisisbench.prepare import PreparedDataset, PrepareReport, prepare
from ovrisisbench.prepare.download.sources import scan
from ovrisisbench.prepare.layouts.recognition import recognise
from tests.drawn import dlrsd, isaid, loveda, potsdam, uavid, udd5, vaihingen, vdd
from tests.drawn.reference import Truth

MODULES = {
    "dlrsd": dlrsd, "loveda": loveda, "potsdam": potsdam, "vaihingen": vaihingen, "uavid": uavid, "udd5": udd5,
    "vdd": vdd,
}  # fmt: skip


class Form(NamedTuple):
    """One form in which people have one data set."""

    key: str
    layout: str
    variant: str
    name: str
    draw: Callable[[Path], Path]


FORMS = [
    Form("dlrsd", "publisher", "original-2100", "folders", dlrsd.draw_publisher_folders),
    Form("dlrsd", "publisher", "original-2100", "zips", dlrsd.draw_publisher_zips),
    Form("dlrsd", "bundle", "bundle-7002", "split", dlrsd.draw_bundle),
    Form("dlrsd", "bundle", "bundle-7002", "unsplit", partial(dlrsd.draw_bundle, split=False)),
    Form("dlrsd", "bundle", "bundle-7002", "with masks", partial(dlrsd.draw_bundle, extra=True)),
    Form("loveda", "publisher", "v1-8-classes", "folders", loveda.draw_publisher_folders),
    Form("loveda", "publisher", "v1-8-classes", "without test", partial(loveda.draw_publisher_folders, test=False)),
    Form("loveda", "publisher", "v1-8-classes", "zips", loveda.draw_publisher_zips),
    Form("loveda", "publisher", "v2-7-classes", "version 2", loveda.draw_publisher_zips),
    Form("loveda", "bundle", "v1-8-classes", "flat", loveda.draw_bundle),
    Form("loveda", "bundle", "v2-7-classes", "version 2", partial(loveda.draw_bundle, extra=True)),
    Form("potsdam", "publisher", "grid-256", "folders", potsdam.draw_publisher_folders),
    Form("potsdam", "publisher", "grid-256", "flat", partial(potsdam.draw_publisher_folders, own_folder=False)),
    Form("potsdam", "publisher", "grid-256", "zips", potsdam.draw_publisher_zips),
    Form("potsdam", "publisher", "grid-256", "stored", potsdam.draw_publisher_nested_zip),
    Form("potsdam", "publisher", "grid-256", "deflated", partial(potsdam.draw_publisher_nested_zip, stored=False)),
    Form("potsdam", "publisher", "grid-256", "RGBIR", partial(potsdam.draw_publisher_zips, kinds=("RGBIR", "label"))),
    Form("potsdam", "publisher", "grid-256", "soft", partial(potsdam.draw_publisher_folders, soft="6_7")),
    Form("potsdam", "publisher", "grid-512", "zips", potsdam.draw_publisher_zips),
    Form("potsdam", "publisher", "grid-256-eroded", "zips", potsdam.draw_publisher_zips),
    Form("potsdam", "publisher", "mmseg-512", "zips", potsdam.draw_publisher_zips),
    Form("potsdam", "bundle", "grid-256", "cut", potsdam.draw_bundle),
    Form("potsdam", "bundle", "grid-256", "shifted", partial(potsdam.draw_bundle, shifted=True)),
    Form("potsdam", "bundle", "grid-512", "cut", partial(potsdam.draw_bundle, variant="grid-512")),
    Form("vaihingen", "publisher", "grid-256", "folders", vaihingen.draw_publisher_folders),
    Form("vaihingen", "publisher", "grid-256", "zips", vaihingen.draw_publisher_zips),
    Form("vaihingen", "publisher", "grid-256", "stored", vaihingen.draw_publisher_nested_zip),
    Form("vaihingen", "publisher", "grid-256", "deflated", partial(vaihingen.draw_publisher_nested_zip, stored=False)),
    Form("vaihingen", "publisher", "grid-512", "zips", vaihingen.draw_publisher_zips),
    Form("vaihingen", "publisher", "grid-256-eroded", "zips", vaihingen.draw_publisher_zips),
    Form("vaihingen", "publisher", "mmseg-512", "zips", vaihingen.draw_publisher_zips),
    Form("vaihingen", "bundle", "grid-256", "more masks", vaihingen.draw_bundle),
    Form("vaihingen", "bundle", "grid-256", "shifted", partial(vaihingen.draw_bundle, shifted=True, orphans=False)),
    Form("vaihingen", "bundle", "grid-512", "cut", partial(vaihingen.draw_bundle, variant="grid-512")),
    Form("uavid", "publisher", "v1-8-classes", "folders", uavid.draw_publisher_folders),
    Form("uavid", "publisher", "v1-8-classes", "mirror", partial(uavid.draw_publisher_folders, mirror=True)),
    Form("uavid", "publisher", "v1-8-classes", "zip", uavid.draw_publisher_zips),
    Form("uavid", "bundle", "v1-8-classes", "ids", uavid.draw_bundle),
    Form("uavid", "bundle", "v1-8-classes", "colours", partial(uavid.draw_bundle, colours=True)),
    Form("udd5", "publisher", "whole", "folders", udd5.draw_publisher_folders),
    Form("udd5", "publisher", "whole", "UDD in UDD", partial(udd5.draw_publisher_folders, top="UDD/UDD", udd6=False)),
    Form("udd5", "publisher", "whole", "zip", udd5.draw_publisher_zips),
    Form("udd5", "publisher", "whole", "split bundle", partial(udd5.draw_bundle, split=True)),
    Form("udd5", "bundle", "whole", "all", udd5.draw_bundle),
    Form("vdd", "publisher", "whole", "folders", vdd.draw_publisher_folders),
    Form("vdd", "publisher", "whole", "VDD in VDD", partial(vdd.draw_publisher_folders, top="VDD/VDD")),
    Form("vdd", "publisher", "whole", "zip", vdd.draw_publisher_zips),
    Form("vdd", "bundle", "whole", "flat", vdd.draw_bundle),
]
UNSPLIT = {("dlrsd", "unsplit"), ("loveda", "flat"), ("loveda", "version 2"), ("udd5", "all"), ("vdd", "flat")}
"""Forms of the bundle that do not tell splits apart; Potsdam, Vaihingen and UAVid have names that do."""


@cache
def expected(form: Form) -> Truth:
    """Sample id -> (pixels, label map)."""
    module = MODULES[form.key]
    if form.layout == "bundle" and form.key in ("potsdam", "vaihingen"):
        return module.bundle_truth(form.variant)
    return module.truth(form.variant)


def run(key: str, root: Path, target: Path, variant: str | None = None, **options) -> PrepareReport:
    """Prepare with the counts of the drawn data."""
    return prepare(key, root, target, variant=variant, workers=1, card=MODULES[key].drawn_card(), **options)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.key}-{form.variant}-{form.name}")
def test_every_form_gives_the_drawn_pixels_and_labels_without_a_warning(tmp_path, form):
    report = run(form.key, form.draw(tmp_path / "download"), tmp_path, form.variant)
    assert (report.layout, report.variant, report.partial) == (form.layout, form.variant, False)
    assert report.warnings == ()
    truth = expected(form)
    with PreparedDataset(report.target) as prepared:
        assert {sample.id for sample in prepared.samples} == set(truth)
        for index, sample in enumerate(prepared.samples):
            pixels, labels = truth[sample.id]
            np.testing.assert_array_equal(prepared.image(index), pixels)
            np.testing.assert_array_equal(prepared.label(index), labels)
            prepared.verify(index)
            assert (sample.split, sample.scene) == place(form, sample.id)


def place(form: Form, sample: str) -> tuple[str, str]:
    """The split and the scene that a sample must have."""
    if form.key == "dlrsd":
        split, scene = dlrsd.copies().get(sample, ("all", ""))[0], sample
    else:
        (drawn,) = (scene for scene in MODULES[form.key].scenes() if scene.name in {sample, *_parts(sample)})
        split, scene = drawn.split, drawn.name.split("_")[0] if form.key == "uavid" else drawn.name
    return ("all" if form.layout == "bundle" and (form.key, form.name) in UNSPLIT else split), scene


def _parts(name: str) -> set[str]:
    words = name.split("_")
    return {"_".join(words[start:end]) for start in range(len(words)) for end in (start + 1, start + 2)}


@pytest.mark.parametrize(
    ("key", "variant", "first", "others"),
    [
        ("dlrsd", "original-2100", dlrsd.draw_publisher_folders, [dlrsd.draw_publisher_zips]),
        ("dlrsd", "bundle-7002", dlrsd.draw_bundle, [partial(dlrsd.draw_bundle, split=False)]),
        ("loveda", None, loveda.draw_publisher_folders, [loveda.draw_publisher_zips, loveda.draw_bundle]),
        (
            "potsdam",
            None,
            potsdam.draw_publisher_folders,
            [
                potsdam.draw_publisher_zips,
                potsdam.draw_publisher_nested_zip,
                partial(potsdam.draw_publisher_nested_zip, stored=False),
                partial(potsdam.draw_publisher_zips, kinds=("RGBIR", "label")),
            ],
        ),
        (
            "vaihingen",
            None,
            vaihingen.draw_publisher_folders,
            [vaihingen.draw_publisher_zips, vaihingen.draw_publisher_nested_zip],
        ),
        ("uavid", None, uavid.draw_publisher_folders, [uavid.draw_publisher_zips, uavid.draw_bundle]),
        ("udd5", None, udd5.draw_publisher_folders, [udd5.draw_publisher_zips, udd5.draw_bundle]),
        ("vdd", None, vdd.draw_publisher_folders, [vdd.draw_publisher_zips, vdd.draw_bundle]),
    ],
    ids=["dlrsd", "dlrsd-bundle", "loveda", "potsdam", "vaihingen", "uavid", "udd5", "vdd"],
)
def test_all_forms_have_the_same_fingerprint(tmp_path, key, variant, first, others):
    digests = {
        run(key, draw(tmp_path / f"download{number}"), tmp_path / str(number), variant).digest
        for number, draw in enumerate((first, *others))
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("key", "draw"),
    [
        ("uavid", uavid.draw_publisher_zips),
        ("udd5", udd5.draw_publisher_zips),
        ("vdd", vdd.draw_publisher_zips),
        ("potsdam", potsdam.draw_publisher_nested_zip),
        ("vaihingen", partial(vaihingen.draw_publisher_nested_zip, stored=False)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_only_archive_can_be_named_itself(tmp_path, key, draw):
    (archive,) = draw(tmp_path / "download").iterdir()
    assert not run(key, archive, tmp_path).partial


@pytest.mark.parametrize(("key", "variant"), [("dlrsd", "original-2100"), ("loveda", "v1-8-classes")])
def test_without_a_named_variant_the_one_that_the_layout_allows_is_made(tmp_path, key, variant):
    assert run(key, MODULES[key].draw_publisher_zips(tmp_path / "download"), tmp_path).variant == variant


@pytest.mark.parametrize(
    ("key", "alias", "variant"),
    [
        ("potsdam", "512", "grid-512"),
        ("potsdam", "256", "grid-256"),
        ("potsdam", "256-eroded", "grid-256-eroded"),
        ("potsdam", "mmseg", "mmseg-512"),
        ("vaihingen", "512", "grid-512"),
        ("vaihingen", "256-eroded", "grid-256-eroded"),
        ("dlrsd", "original", "original-2100"),
    ],
)
def test_a_variant_has_a_short_name(tmp_path, key, alias, variant):
    report = run(key, MODULES[key].draw_publisher_zips(tmp_path / "download"), tmp_path, alias)
    assert report.variant == variant
    assert Path(report.target).name == (f"{key}.h5" if variant == "grid-256" else f"{key}-{variant}.h5")


def test_eroded_borders_are_ignored_and_full_ones_are_not(tmp_path):
    download = potsdam.draw_publisher_zips(tmp_path / "download")
    full, eroded = (PreparedDataset(run("potsdam", download, tmp_path, name).target) for name in ("256", "256-eroded"))
    assert full.manifest.ignored_pixels == 0
    assert 0.02 < eroded.manifest.ignored_pixels / (16 * 256 * 256) < 0.4
    assert full.manifest.rules_digest != eroded.manifest.rules_digest
    for index in range(len(full)):
        kept = eroded.label(index) != 255
        np.testing.assert_array_equal(full.label(index)[kept], eroded.label(index)[kept])


def test_no_data_is_a_class_in_version_1_and_ignored_in_version_2(tmp_path):
    download = loveda.draw_publisher_folders(tmp_path / "download")
    first, second = (
        PreparedDataset(run("loveda", download, tmp_path, name).target).manifest
        for name in ("v1-8-classes", "v2-7-classes")
    )
    assert first.ignored_pixels == 0
    assert first.class_pixels[0] == second.ignored_pixels > 0
    assert first.class_pixels[1:] == second.class_pixels


@pytest.mark.parametrize(
    ("key", "variant", "draw", "words"),
    [
        ("loveda", None, loveda.draw_publisher_zips, ["2 image(s)", "left out"]),
        ("uavid", None, uavid.draw_publisher_zips, ["2 image(s)", "left out"]),
        ("dlrsd", None, partial(dlrsd.draw_bundle, extra=True), ["36 file(s)", "1..17"]),
        ("loveda", None, partial(loveda.draw_bundle, extra=True), ["5 file(s)", "masks_png2"]),
        ("potsdam", None, partial(potsdam.draw_bundle, shifted=True), ["16 file(s)", "OVS_label", "one too high"]),
        ("vaihingen", None, partial(vaihingen.draw_bundle, shifted=True), ["10 file(s)", "OVS_label", "one too high"]),
        ("vaihingen", None, vaihingen.draw_bundle, ["1 mask(s)", "no image", "left out"]),
        ("vaihingen", "256-eroded", vaihingen.draw_publisher_zips, ["area9", "left out"]),
        ("udd5", None, udd5.draw_publisher_zips, ["5 file(s)", "UDD6"]),
        ("potsdam", None, partial(potsdam.draw_publisher_zips, kinds=("RGBIR", "label")), ["RGBIR"]),
        ("potsdam", None, partial(potsdam.draw_publisher_zips, soft="6_7"), ["6_7", "blurred"]),
        ("dlrsd", None, partial(dlrsd.draw_bundle, split=False), ["held-out", "cannot be told apart"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_read_or_not_as_usual_is_noted(tmp_path, key, variant, draw, words):
    report = run(key, draw(tmp_path / "download"), tmp_path, variant)
    assert [note for note in report.notes if all(word in note for word in words)], report.notes


@pytest.mark.parametrize("key", ["loveda", "uavid", "udd5", "vdd"])
def test_a_plain_download_needs_no_note(tmp_path, key):
    draw = partial(
        MODULES[key].draw_publisher_folders, **{"loveda": {"test": False}, "uavid": {"test": False}}.get(key, {})
    )
    if key == "udd5":
        draw = partial(udd5.draw_publisher_folders, udd6=False)
    report = run(key, draw(tmp_path / "download"), tmp_path)
    assert report.notes == ()


@pytest.mark.parametrize(
    ("key", "variant", "draw", "words"),
    [
        ("potsdam", None, partial(potsdam.draw_publisher_zips, kinds=("IRRG", "label")), ["2_Ortho_RGB", "IRRG"]),
        ("potsdam", None, partial(potsdam.draw_publisher_zips, kinds=("RGB", "label_noBoundary")), ["5_Labels_all"]),
        ("potsdam", "256-eroded", partial(potsdam.draw_publisher_zips, kinds=("RGB", "label")), ["noBoundary"]),
        ("potsdam", None, partial(potsdam.draw_publisher_zips, kinds=("label",)), ["2_Ortho_RGB"]),
        (
            "vaihingen",
            None,
            partial(vaihingen.draw_publisher_zips, archives=(vaihingen.IMAGES,)),
            ["ground_truth_COMPLETE"],
        ),
        (
            "vaihingen",
            None,
            partial(vaihingen.draw_publisher_zips, archives=(vaihingen.IMAGES, vaihingen.ERODED)),
            ["ground_truth_COMPLETE"],
        ),
        ("potsdam", "256-eroded", potsdam.draw_bundle, ["full labels", "noBoundary"]),
        ("dlrsd", "bundle-7002", dlrsd.draw_publisher_zips, ["original-2100"]),
        ("dlrsd", "original-2100", dlrsd.draw_bundle, ["bundle-7002"]),
    ],
)
def test_the_wrong_part_of_a_download_is_refused_and_the_right_one_named(tmp_path, key, variant, draw, words):
    with pytest.raises(DataError) as caught:
        run(key, draw(tmp_path / "download"), tmp_path, variant)
    assert all(word in str(caught.value) for word in words), caught.value
    assert not list(tmp_path.glob("*.h5"))


def found(key: str, root: Path, variant: str | None = None) -> set[tuple[str, str]]:
    """(name, split) of all pairs that are recognised, each with an image and a mask of the same scene."""
    choice = recognise(scan(root), MODULES[key].drawn_card(), variant)
    assert not choice.found.images_without_mask
    assert not choice.found.masks_without_image
    return {(pair.source, pair.split) for pair in choice.found.pairs}


@pytest.mark.parametrize("layout", ["draw_publisher_zips", "draw_bundle"])
def test_every_data_set_is_found_among_all_others(tmp_path, layout):
    for key, module in MODULES.items():
        getattr(module, layout)(tmp_path / "all")
        getattr(module, layout)(tmp_path / key)
    if layout == "draw_bundle":
        isaid.draw_bundle(tmp_path / "all")
    for key in MODULES:
        assert found(key, tmp_path / "all") == found(key, tmp_path / key)


@pytest.mark.parametrize(
    ("key", "draw", "inner"),
    [
        ("dlrsd", dlrsd.draw_bundle, "DLRSD_split"),
        ("loveda", loveda.draw_bundle, "LoveDA"),
        ("potsdam", potsdam.draw_bundle, "Potsdam"),
        ("vaihingen", vaihingen.draw_bundle, "Vaihingen"),
        ("uavid", uavid.draw_bundle, "uavid"),
        ("udd5", udd5.draw_bundle, "UDD5"),
        ("udd5", udd5.draw_publisher_folders, "UDD/UDD5"),
        ("vdd", vdd.draw_bundle, "VDD"),
        ("vdd", vdd.draw_publisher_folders, "VDD"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_inner_folder_can_be_named(tmp_path, key, draw, inner):
    root = draw(tmp_path / "download")
    assert found(key, root / inner) == found(key, root)


@pytest.mark.parametrize("key", MODULES)
def test_upper_and_lower_case_of_folders_and_endings_does_not_matter(tmp_path, key):
    root = MODULES[key].draw_bundle(tmp_path / "download")
    for path in sorted(root.rglob("*"), reverse=True):
        name = path.name.upper() if path.is_dir() else path.stem + path.suffix.swapcase()
        path.rename(path.with_name(name))
    assert found(key, root) == found(key, MODULES[key].draw_bundle(tmp_path / "as published"))


@pytest.mark.parametrize("complete", [True, False])
def test_labels_for_participants_among_the_images_are_no_images(tmp_path, complete):
    archives = (vaihingen.IMAGES, vaihingen.LABELS) if complete else (vaihingen.IMAGES,)
    root = vaihingen.draw_publisher_folders(tmp_path / "download", archives=archives)
    expected = vaihingen.draw_publisher_folders(tmp_path / "whole")
    participants = root / vaihingen.IMAGES / "gts_for_participants"
    participants.mkdir()
    for path in (expected / vaihingen.LABELS).glob("*.tif"):
        Image.open(path).save(participants / path.name, compression="tiff_lzw")
    digests = {run("vaihingen", folder, tmp_path / "data" / folder.name).digest for folder in (root, expected)}
    assert len(digests) == 1
