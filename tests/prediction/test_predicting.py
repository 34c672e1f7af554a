"""A picture and a list of words become a label map, an overlay and a table."""

import json
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from PIL import Image
from rasterio.transform import Affine

from ovrisisbench.adapter import LoadOptions, find_adapter
from ovrisisbench.adapter.score_maps import cropped_scores
from ovrisisbench.cli import cli
from ovrisisbench.errors import (
    AdapterError,
    CatalogError,
    CheckpointError,
    DataError,
    EvaluationError,
    OvrisisBenchError,
)
from ovrisisbench.evaluate import label_map
from ovrisisbench.prediction import PredictReport, predict
from ovrisisbench.prediction import predicting as engine
from ovrisisbench.prediction.colours import class_colours
from ovrisisbench.prediction.georeference import Georeference
from ovrisisbench.prediction.overlay import Overlay
from ovrisisbench.prediction.png_stream import PalettePngWriter
from ovrisisbench.prediction.scenes import Rows, open_scene

ADAPTERS = Path(__file__).parent.parent / "adapter" / "drawn_adapters.py"
BRIGHTNESS = f"{ADAPTERS}:Brightness"
NAMES = ("water", "road", "solar panel")
PLACE = Affine(0.5, 0, 367000, 0, -0.5, 5807000)


def _picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    grey = 127 + 80 * np.sin(x / 23) + 45 * np.cos(y / 17)
    return np.stack([grey, grey + 3, grey - 3], axis=2).clip(0, 255).astype(np.uint8)


def _png(folder: Path, height: int = 150, width: int = 200) -> Path:
    path = folder / "scene.png"
    Image.fromarray(_picture(height, width)).save(path)
    return path


def _geotiff(folder: Path, height: int = 700, width: int = 600, crs: str | None = "EPSG:32633", **more) -> Path:
    path = folder / "scene.tif"
    pixels = more.pop("pixels", None)
    pixels = _picture(height, width).transpose(2, 0, 1) if pixels is None else pixels
    profile = {"transform": PLACE, "crs": crs, "dtype": pixels.dtype, **more}
    with rasterio.open(path, "w", driver="GTiff", height=height, width=width, count=len(pixels), **profile) as target:
        target.write(pixels)
    return path


def _whole(image: np.ndarray, names=NAMES) -> np.ndarray:
    adapter = find_adapter(BRIGHTNESS).load_class().load(LoadOptions(backbone="none"))
    adapter.set_vocabulary(names)
    (one,) = adapter.predict([image], image_ids=["whole"])
    return label_map(cropped_scores(one), image.shape[:2])


def _predict(path, folder, **options):
    options.setdefault("to", folder / "labels.png")
    return predict(path, options.pop("model", BRIGHTNESS), options.pop("names", NAMES), device="cpu", **options)


def test_a_picture_that_fits_into_one_window_is_labelled_as_a_whole(tmp_path):
    result = _predict(_png(tmp_path), tmp_path)
    labels = np.asarray(Image.open(result.labels))
    assert (labels == _whole(_picture(150, 200))).all()
    assert result.windows == 1
    assert [area.pixels for area in result.areas] == np.bincount(labels.ravel(), minlength=3).tolist()
    assert sum(area.share for area in result.areas) == pytest.approx(1)
    assert result.areas[0].square_metres is None


def test_overlapping_windows_of_a_local_model_give_nearly_the_labels_of_the_whole(tmp_path):
    result = _predict(_png(tmp_path), tmp_path, window=64, overlap=16)
    assert result.windows == 12
    # The adapter halves the resolution, so scores near a window's border are stretched from other neighbours.
    labels = np.asarray(Image.open(result.labels))
    assert (labels == _whole(_picture(150, 200))).mean() > 0.98


@pytest.mark.parametrize("options", [{"batch_size": 5}, {"threads": 3}, {"batch_size": 2, "threads": 2}])
def test_batches_and_threads_change_no_pixel(options, tmp_path):
    path = _png(tmp_path)
    plain = _predict(path, tmp_path, window=48, to=tmp_path / "a.png")
    other = _predict(path, tmp_path, window=48, to=tmp_path / "b.png", **options)
    assert plain.labels.read_bytes() == other.labels.read_bytes()
    assert plain.areas == other.areas


def test_a_real_network_runs_on_a_picture(tmp_path):
    result = _predict(
        _png(tmp_path, 96, 160),
        tmp_path,
        model="plain-clip",
        backbone="tiny",
        untrained=True,
        window=96,
        overlay=tmp_path / "o.png",
    )
    assert result.windows == 2
    assert sum(area.pixels for area in result.areas) == 96 * 160


def test_a_geotiff_keeps_its_place_and_becomes_cloud_optimised(tmp_path):
    result = _predict(_geotiff(tmp_path), tmp_path, to=tmp_path / "labels.tif", window=256)
    with rasterio.open(result.labels) as found:
        assert found.crs.to_epsg() == 32633
        assert found.transform == PLACE
        assert found.shape == (700, 600)
        assert found.nodata == 255
        assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert found.profile["tiled"]
        assert found.block_shapes == [(512, 512)]
        assert found.overviews(1) == [2]
        assert found.tags(1) == {f"class_{index}": name for index, name in enumerate(NAMES)}
        assert [found.colormap(1)[index][:3] for index in range(3)] == list(class_colours(NAMES))
        labels = found.read(1)
    assert (labels == _whole(_picture(700, 600))).mean() > 0.98
    assert result.pixel_area == pytest.approx(0.25)
    assert [area.square_metres for area in result.areas] == [area.pixels * 0.25 for area in result.areas]
    assert not list(tmp_path.glob(".*"))


def test_the_default_name_says_what_it_is_and_keeps_the_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _predict(_geotiff(tmp_path), tmp_path, to=None).labels == Path("scene_labels.tif")
    assert _predict(_png(tmp_path), tmp_path, to=None).labels == Path("scene_labels.png")


def test_pixels_without_data_are_255_and_count_nowhere(tmp_path):
    pixels = np.concatenate([_picture(300, 200).transpose(2, 0, 1), np.full((1, 300, 200), 255, np.uint8)])
    pixels[3, :150, :90] = 0
    path = _geotiff(tmp_path, 300, 200, pixels=pixels, photometric="RGB", alpha="YES")
    result = _predict(path, tmp_path, to=tmp_path / "labels.tif", window=64)
    with rasterio.open(result.labels) as found:
        assert ((found.read(1) == 255) == (pixels[3] == 0)).all()
    assert result.no_data == 150 * 90
    assert sum(area.pixels for area in result.areas) == 300 * 200 - 150 * 90
    see_through = tmp_path / "see.png"
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(see_through)
    assert _predict(see_through, tmp_path).no_data == 150 * 90


def test_windows_without_any_data_are_not_given_to_the_model(tmp_path):
    pixels = np.concatenate([_picture(128, 128).transpose(2, 0, 1), np.zeros((1, 128, 128), np.uint8)])
    pixels[3, 64:] = 255
    path = tmp_path / "scene.png"
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(path)
    counting = tmp_path / "counting.py"
    counting.write_text(
        "from tests.adapter.drawn_adapters import Brightness, info\n"
        "class Counting(Brightness):\n"
        "    info = info('counting')\n"
        "    seen = []\n"
        "    def predict(self, images, *, image_ids):\n"
        "        self.seen.extend(image_ids)\n"
        "        return super().predict(images, image_ids=image_ids)\n"
    )
    found = find_adapter(f"{counting}:Counting").load_class()
    _predict(path, tmp_path, model=f"{counting}:Counting", window=64, overlap=0)
    assert found.seen == ["scene_64_128_0_64", "scene_64_128_64_128"]


@pytest.mark.parametrize(
    ("crs", "area", "words"),
    [
        ("EPSG:32633", 0.25, ""),
        ("EPSG:2229", pytest.approx(0.25 * (1200 / 3937) ** 2, rel=1e-9), ""),  # US survey feet
        ("EPSG:4326", None, "not in metres"),
        ("EPSG:3857", None, "Web Mercator"),
        (None, None, "not in metres"),
    ],
)
def test_square_metres_are_given_only_where_coordinates_are_lengths(crs, area, words):
    place = Georeference(None if crs is None else rasterio.crs.CRS.from_string(crs), PLACE)
    assert place.pixel_area == area
    assert words in place.area_note
    assert bool(words) == bool(place.area_note)


def test_gsd_gives_square_metres_to_any_picture(tmp_path):
    result = _predict(_png(tmp_path), tmp_path, gsd=0.3)
    assert result.pixel_area == pytest.approx(0.09)


def test_what_cannot_be_kept_is_said(tmp_path):
    class Hears(PredictReport):
        notes: list[str] = []  # noqa: RUF012 - one per test

        def note(self, sentence):
            self.notes.append(sentence)

    _predict(_geotiff(tmp_path, 64, 64, crs="EPSG:3857"), tmp_path, report=Hears())
    assert ["cannot keep where" in Hears.notes[0], "Web Mercator" in Hears.notes[1]] == [True, True]


class _Traced:
    """A picture that is never whole, and remembers how many rows were asked for at once."""

    width = 96
    georeference = None

    def __init__(self, height: int) -> None:
        self.height = height
        self.most = 0

    def rows(self, y0, y1):
        self.most = max(self.most, y1 - y0)
        pixels = np.broadcast_to((np.arange(y0, y1) % 256).astype(np.uint8)[:, None, None], (y1 - y0, self.width, 3))
        return Rows(pixels.copy(), np.ones((y1 - y0, self.width), np.bool_))


def test_memory_does_not_grow_with_the_height_of_the_picture(tmp_path, monkeypatch):
    peaks, bands = [], []
    for height in (320, 320, 3200):  # the first fills caches
        scene = _Traced(height)
        written = []

        @contextmanager
        def opened(path, *, bands=None, scene=scene):
            yield scene

        @contextmanager
        def writer(path, *, written=written, **_):
            yield lambda labels: written.append(len(labels))

        monkeypatch.setattr(engine, "open_scene", opened)
        monkeypatch.setattr(engine, "label_writer", writer)
        tracemalloc.start()
        _predict(tmp_path / "endless.tif", tmp_path, window=64, overlap=16)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sum(written) == height
        bands.append((scene.most, max(written)))
    assert bands == [(64, 64)] * 3
    assert peaks[2] < peaks[1] + 64 * 96 * 3  # ten times as high, and not one more band of pixels


def test_a_tiled_tiff_is_read_a_row_of_windows_at_a_time(tmp_path):
    path = _geotiff(tmp_path, 512, 512, tiled=True, blockxsize=256, blockysize=256)
    with open_scene(path) as scene:
        rows = scene.rows(100, 164)
    assert (rows.pixels == _picture(512, 512)[100:164]).all()
    assert rows.valid.all()


def test_bands_are_chosen_by_their_numbers(tmp_path):
    pixels = np.stack([np.full((40, 40), value, np.uint8) for value in (10, 20, 30, 40)])
    path = _geotiff(tmp_path, 40, 40, pixels=pixels)
    with open_scene(path, bands=[4, 2, 1]) as scene:
        assert scene.rows(0, 1).pixels[0, 0].tolist() == [40, 20, 10]
    with open_scene(path) as scene:
        assert scene.rows(0, 1).pixels[0, 0].tolist() == [10, 20, 30]
    with pytest.raises(DataError, match="has 4 band"), open_scene(path, bands=[5, 1, 2]):
        pass


def test_grey_and_palette_pictures_are_read_by_their_colours(tmp_path):
    grey = _picture(30, 40)[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(_picture(30, 40)).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "palette.tif")
    with open_scene(tmp_path / "grey.png") as scene:
        assert (scene.rows(0, 30).pixels == grey[..., None]).all()
    with open_scene(tmp_path / "palette.tif") as scene:
        expected = np.asarray(Image.open(tmp_path / "palette.tif").convert("RGB"))
        assert (scene.rows(0, 30).pixels == expected).all()


def test_without_rasterio_a_picture_works_and_a_geotiff_names_the_extra(tmp_path, monkeypatch):
    import sys

    path = _geotiff(tmp_path, 64, 64)
    Image.fromarray(_picture(64, 64)).save(tmp_path / "plain.tif")
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(DataError, match=r"is a GeoTIFF, which needs rasterio: install ovrisisbench\[geo\]"):
        _predict(path, tmp_path)
    with pytest.raises(DataError, match=r"needs rasterio: install ovrisisbench\[geo\]"):
        _predict(_png(tmp_path), tmp_path, to=tmp_path / "labels.tif")
    for picture in (tmp_path / "plain.tif", _png(tmp_path)):
        assert _predict(picture, tmp_path).labels.exists()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"names": ("road", "Road ")}, CatalogError, "twice"),
        ({"names": ("road", "")}, CatalogError, "blank"),
        ({"model": "most-frequent"}, AdapterError, "has to be told the truth"),
        ({"model": "rskt-seg", "backbone": "vit-b"}, AdapterError, "needs trained weights"),
        ({"model": "rskt-seg", "backbone": "tiny", "checkpoint": Path("no.pth")}, CheckpointError, "no.pth"),
        ({"to": Path("labels.jpg")}, DataError, "written as .tif or .png"),
        ({"overlay": Path("o.jpg")}, DataError, "written as .png"),
        ({"window": 64, "overlap": 64}, EvaluationError, "cannot overlap"),
        ({"gsd": 0.0}, DataError, "more than 0"),
        ({"bands": [1, 2, 3]}, DataError, "for TIFFs"),
        ({"model": f"{ADAPTERS}:NotFinite"}, EvaluationError, "NaN or infinity"),
        ({"model": f"{ADAPTERS}:WrongType"}, AdapterError, "float64"),
    ],
)
def test_mistakes_are_one_sentence(options, error, words, tmp_path):
    with pytest.raises(error, match=words):
        _predict(_png(tmp_path), tmp_path, **options)
    assert not (tmp_path / "labels.png").exists()


@pytest.mark.parametrize("name", ["labels.tif", "labels.png"])
def test_a_folder_that_cannot_be_written_is_one_sentence(name, tmp_path):
    (tmp_path / "file").write_text("in the way of a folder")
    with pytest.raises(OvrisisBenchError, match="cannot be written"):
        _predict(_png(tmp_path), tmp_path, to=tmp_path / "file" / name)


def test_the_picture_itself_is_never_replaced(tmp_path):
    path = _png(tmp_path)
    with pytest.raises(DataError, match="would replace"):
        _predict(path, tmp_path, to=path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"no picture", "no PNG, JPEG or TIFF"),
        ("a.tif", b"II*\0no picture", "damaged or no TIFF"),
        ("a.png", None, "There is no picture"),
    ],
)
def test_what_is_no_picture_is_refused(name, content, words, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        _predict(tmp_path / name, tmp_path)


def test_pictures_of_16_bits_are_refused_with_advice(tmp_path):
    path = _geotiff(tmp_path, 20, 20, pixels=np.zeros((3, 20, 20), np.uint16))
    with pytest.raises(DataError, match="gdal_translate"):
        _predict(path, tmp_path)
    Image.fromarray(np.zeros((20, 20), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match="8 bits a band"):
        _predict(tmp_path / "deep.png", tmp_path)


def test_a_png_written_row_by_row_is_what_pillow_reads(tmp_path):
    labels = np.random.default_rng(0).integers(0, 255, (70, 33)).astype(np.uint8)
    labels[3, 4] = 255
    with (tmp_path / "a.png").open("wb") as stream:
        writer = PalettePngWriter(stream, 33, 70, [(1, 2, 3), (4, 5, 6)])
        for start in range(0, 70, 16):
            writer.write(labels[start : start + 16])
        writer.finish()
    with Image.open(tmp_path / "a.png") as picture:
        picture.verify()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "P"
        assert (np.asarray(picture) == labels).all()
        assert picture.getpalette()[:6] == [1, 2, 3, 4, 5, 6]
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    assert ((alpha == 0) == (labels == 255)).all()


def test_the_overlay_is_the_mean_of_blocks_however_the_rows_come(monkeypatch):
    monkeypatch.setattr("ovrisisbench.prediction.overlay.LONGEST_SIDE", 40)
    pixels = _picture(90, 119)
    labels = (_picture(90, 119)[..., 0] > 127).astype(np.uint8)
    labels[:10] = 255
    colours = [(255, 0, 0), (0, 0, 255)]
    views = []
    for step in (90, 7):
        overlay = Overlay((90, 119), colours)
        for start in range(0, 90, step):
            overlay.add(pixels[start : start + step], labels[start : start + step])
        views.append(np.asarray(overlay.picture(["one", "two"])))
    assert (views[0] == views[1]).all()
    shown = views[0][:30, :40]
    mixed = np.where(
        (labels != 255)[..., None], 0.55 * pixels + 0.45 * np.array([*colours, *[(0, 0, 0)] * 254])[labels], pixels
    )
    expected = mixed[3:6, 3:6].mean(axis=(0, 1))
    np.testing.assert_allclose(shown[1, 1], expected, atol=0.51)
    np.testing.assert_allclose(shown[29, 39], mixed[87:90, 117:119].mean(axis=(0, 1)), atol=0.51)
    assert views[0].shape[0] > 30  # and the legend below


def test_the_command_prints_a_table_or_json(tmp_path):
    path = _png(tmp_path)
    arguments = ["predict", str(path), "--model", BRIGHTNESS, "--classes", "water, solar panel", "--gsd", "0.5"]
    arguments += ["--to", str(tmp_path / "l.png"), "--overlay", str(tmp_path / "o.png"), "--device", "cpu"]
    plain = CliRunner().invoke(cli, arguments)
    assert plain.exit_code == 0, plain.output
    assert "solar panel" in plain.output
    assert "m²" in plain.output
    names = tmp_path / "names.txt"
    names.write_text("water\n\nroad, paved\n")
    arguments[5] = str(names)
    found = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).stdout)
    assert [one["name"] for one in found["classes"]] == ["water", "road, paved"]
    assert (found["height"], found["width"], found["windows"]) == (150, 200, 1)
    assert found["pixel_area_m2"] == 0.25
    assert sum(one["square_metres"] for one in found["classes"]) == 150 * 200 / 4
