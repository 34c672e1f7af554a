"""The page about a prepared data set: safe, self-contained, small, equal for equal files, and it works in a browser."""

import base64
import html.parser
import io
import re
import shutil
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from ovrisisbench.errors import DataError
from ovrisisbench.prepare import PreparedDataset, write_contact_sheet
from ovrisisbench.prepare.contact_sheet.page import MAX_IMAGES, contact_sheet
from tests.drawn.prepared_file import noise, write_prepared

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>&{{ 7*7 }}"""
NAMES = ("no-data", "Background", "Building", "Road", "Water", "Barren", "Forest", "Agriculture")


class Page(html.parser.HTMLParser):
    """Every element with its attributes, and the words between."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for found, attributes in self.elements if found == tag]


def square(number, value, side=40):
    return noise(number, side, side + 10 * (number % 2))[0], np.full((side, side + 10 * (number % 2)), value, np.uint8)


@pytest.fixture(scope="module")
def drawn_file(tmp_path_factory):
    """Nine images: eight of background, of which two are rectangles of another size, and one with a rare class."""
    images = {f"i{number}": square(number, 1) for number in range(9)}
    images["i4"][1][:10, :10] = 5
    images["i4"][1][20:] = 255
    return write_prepared(
        tmp_path_factory.mktemp("data") / "loveda.h5",
        images,
        notes=("two images had an alpha band", "x" * 5000),
        partial=True,
        partial_reasons=("split val: 3 images are missing",),
        warnings=("the bands look reversed",),
    )


@pytest.fixture(scope="module")
def page(drawn_file):
    return Page(contact_sheet(PreparedDataset(drawn_file), images=3))


def decoded(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2])))


def test_it_states_what_the_manifest_holds(page, drawn_file):
    text = " ".join(" ".join(page.words).split())
    manifest = PreparedDataset(drawn_file).manifest
    for words in (
        "LoveDA",
        "v1-8-classes",
        "Partial",
        "split val: 3 images are missing",
        "the bands look reversed",
        "two images had an alpha band",
        "Not verified",
        "50 × 40",
        "train",
        "2026-01-02T03:04:05+00:00",
        "publisher",
        manifest.digest,
        *NAMES,
    ):
        assert words in text, words
    assert "x" * 601 not in text
    assert "manifest holds all of it" in text


def test_equal_files_give_equal_bytes(drawn_file, tmp_path):
    other = shutil.copyfile(drawn_file, tmp_path / drawn_file.name)
    for path, target in ((drawn_file, "a.html"), (other, "b.html")):
        write_contact_sheet(PreparedDataset(path), tmp_path / target)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_it_refers_to_nothing_outside_and_forbids_to_load_anything(page):
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "form", "base"), tag
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:"), attributes
    assert not re.search(r"url\(|@import|https?://", " ".join(page.words))
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "script-src 'sha256-" in policy


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory):
    """Ids, splits, scenes, class names and notes that would be code in a careless page."""
    image, labels = noise(0, 16, 16, classes=2)
    return write_prepared(
        tmp_path_factory.mktemp("data") / "hostile.h5",
        {f"{HOSTILE}{number}": (image, labels) for number in range(2)},
        class_names=(f"{HOSTILE} class", *NAMES[1:]),
        title=HOSTILE,
        layout=HOSTILE,
        notes=(HOSTILE,),
        ovrisisbench_version=HOSTILE,
    )


def test_hostile_names_stay_text(hostile_file):
    text = contact_sheet(PreparedDataset(hostile_file))
    page = Page(text)
    assert len(page.all("script")) == 1
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert len(page.all("img")) == 4
    assert {figure["aria-label"] for figure in page.all("figure")} == {f"{HOSTILE}0", f"{HOSTILE}1"}
    assert "49" not in re.findall(r"alert\(2\)&gt;&amp;(.{12})", text)
    assert "{{ 7*7 }}" in text


def test_pictures_and_overlays_have_alternatives_in_words(page):
    images = page.all("img")
    assert len(images) == 6
    assert all(image["alt"] for image in images)
    overlay = next(image for image in images if "Barren" in image["alt"])
    assert overlay["class"] == "overlay"
    assert "Background 43.8%" in overlay["alt"]
    assert "ignored 50.0%" in overlay["alt"]


def test_an_overlay_is_exact_where_nothing_is_shrunk(page):
    overlay = next(image for image in page.all("img") if "Barren" in image["alt"])
    pixels = np.asarray(decoded(overlay["src"]).convert("RGBA"))
    assert pixels.shape == (40, 40, 4)
    assert (pixels[20:, :, 3] == 0).all(), "ignored pixels are transparent"
    assert (pixels[:10, :10] == (159, 129, 183, 255)).all(), "the publisher's colour"
    assert (pixels[10:20] == (255, 255, 255, 255)).all()


def test_large_images_are_shrunk_and_keep_their_proportions(tmp_path):
    image, labels = noise(0, 700, 1400)
    path = write_prepared(tmp_path / "large.h5", {"a": (image // 8 + 100, labels // 7 * 6)})
    picture, overlay = (decoded(found["src"]) for found in Page(contact_sheet(PreparedDataset(path))).all("img"))
    assert picture.size == overlay.size == (320, 160)
    assert (picture.format, overlay.format) == ("JPEG", "PNG")
    colours = np.unique(np.asarray(overlay.convert("RGB")).reshape(-1, 3), axis=0)
    assert colours.tolist() == [[0, 0, 0], [0, 255, 0]], "no colour between two classes"


@pytest.mark.parametrize(("count", "side"), [(24, 400), (MAX_IMAGES, 150)])
def test_the_page_stays_below_4_mb_whatever_it_shows(tmp_path, count, side):
    images = {f"{number:03d}{'n' * 200}": noise(number % 9, side, side) for number in range(count)}
    path = write_prepared(tmp_path / "noise.h5", images, notes=tuple(f"{number}{'x' * 9000}" for number in range(99)))
    shown = write_contact_sheet(PreparedDataset(path), tmp_path / "page.html", images=count)
    assert len(shown) == count
    assert 2_000_000 < (tmp_path / "page.html").stat().st_size < 4_000_000


def test_only_the_chosen_samples_are_read(drawn_file, monkeypatch):
    read = []
    with PreparedDataset(drawn_file) as dataset:
        for kind in ("image", "label"):
            original = getattr(dataset, kind)
            monkeypatch.setattr(
                dataset, kind, lambda index, kind=kind, original=original: read.append((kind, index)) or original(index)
            )
        contact_sheet(dataset, images=2)
    assert len(read) == 4
    assert len({index for _, index in read}) == 2


def test_a_page_is_not_written_over_the_data_by_mistake(drawn_file):
    before = drawn_file.read_bytes()
    with pytest.raises(DataError, match=r"ends in \.html"):
        write_contact_sheet(PreparedDataset(drawn_file), drawn_file)
    assert drawn_file.read_bytes() == before


def test_a_failure_keeps_the_old_page_and_leaves_no_rubbish(drawn_file, tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    target.write_text("old")
    dataset = PreparedDataset(drawn_file)
    monkeypatch.setattr(dataset, "image", lambda _: (_ for _ in ()).throw(DataError("gone.")))
    with pytest.raises(DataError, match="gone"):
        write_contact_sheet(dataset, target)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


DRIVER = """
<script>
const labels = document.getElementById("labels"), slider = document.getElementById("opacity");
const overlay = document.querySelector(".overlay"), pick = document.getElementById("class");
const shown = () => document.querySelectorAll("figure:not([hidden])").length;
const look = (name) => document.body.setAttribute("data-" + name, [
  getComputedStyle(overlay).opacity, shown(), labels.checked].join(" "));
look("start");
labels.click(); look("off");
slider.value = 100; slider.dispatchEvent(new Event("input")); look("full");
pick.value = "5"; pick.dispatchEvent(new Event("change")); look("picked");
document.querySelector("figure:not([hidden])").focus();
document.body.setAttribute("data-details", [...document.querySelectorAll(".details")].map(
  (details) => getComputedStyle(details).visibility).join(" "));
document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
document.body.setAttribute("data-escaped", [...document.querySelectorAll(".details")].map(
  (details) => getComputedStyle(details).visibility).join(" "));
</script>
"""


def browse(page, folder):
    """Load a page headless; return its document afterwards and what was written to the console."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--dump-dom"]
    command += ["--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found")
def test_in_a_browser_it_runs_without_a_complaint_and_its_controls_work(drawn_file, hostile_file, tmp_path):
    for number, path in enumerate((drawn_file, hostile_file)):
        target = tmp_path / f"{number}.html"
        write_contact_sheet(PreparedDataset(path), target, images=3)
        document, console = browse(target, tmp_path / "profile")
        assert console == []
        assert re.search(r'id="controls">', document), "the script has shown its controls"

    # The driver is another script than the one that the page allows, so the copy goes without the policy.
    text = re.sub(r"<meta http-equiv=.*?>", "", (tmp_path / "0.html").read_text())
    (tmp_path / "driven.html").write_text(
        text.replace("</body>", f"<style>* {{transition: none !important}}</style>{DRIVER}</body>")
    )
    document, console = browse(tmp_path / "driven.html", tmp_path / "profile")
    assert console == []
    found = dict(re.findall(r'data-(start|off|full|picked|details|escaped)="([^"]*)"', document))
    assert found == {
        "start": "0.6 3 true",
        "off": "0 3 false",
        "full": "1 3 true",
        "picked": "1 1 true",
        "details": "hidden visible hidden",
        "escaped": "hidden hidden hidden",
    }


def test_twenty_thousand_samples_cost_no_more_than_their_number(tmp_path):
    from ovrisisbench.prepare.contact_sheet.spread import spread_samples
    from tests.drawn.prepared_file import drawn_sample

    one = drawn_sample("a", *noise(0, 4, 4))
    samples = [one.model_copy(update={"id": str(number), "split": f"s{number % 3}"}) for number in range(20_000)]
    start = time.perf_counter()
    assert len(spread_samples(samples, MAX_IMAGES)) == MAX_IMAGES
    assert time.perf_counter() - start < 1
