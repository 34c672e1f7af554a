"""The pages hold what the records say, escaped and linked, and stand without pictures as well."""

import base64
import json
import re
import shutil
import zlib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from ovrisisbench.errors import OvrisisBenchError, RecordError
from ovrisisbench.prepare import PreparedDataset
from ovrisisbench.records import read_records, write_record
from ovrisisbench.report import write_report
from ovrisisbench.report.pictures import packed_costs, shown_size, small_labels
from ovrisisbench.report.rendering import ASSETS, script_json
from ovrisisbench.report.scatter import Point, scatter_svg
from tests.records.examples import a_model, a_record, a_table
from tests.report.sites import NASTY


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data: dict[str, str] = {}
        self._script = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._script = dict(attrs).get("id", "") if tag == "script" else ""

    def handle_endtag(self, tag):
        self._script = ""

    def handle_data(self, data):
        self.texts.append(data)
        if self._script:
            self.data[self._script] = data

    @property
    def links(self) -> list[str]:
        return [value for _, attrs in self.tags for name, value in attrs.items() if name in ("href", "src") and value]

    @property
    def ids(self) -> set[str]:
        return {attrs["id"] for _, attrs in self.tags if attrs.get("id")}


def _pages(site: Path) -> dict[Path, _Page]:
    return {path: _Page(path.read_text()) for path in site.rglob("*.html") if not path.name.endswith("-sheet.html")}


def _result(site: Path) -> Path:
    (path,) = site.glob("results/*/isaid.html")
    return path


def test_all_links_lead_somewhere_and_nothing_comes_from_the_network(site):
    pages = _pages(site)
    assert len(pages) == 3 + 8 + 1
    for path, page in pages.items():
        for link in page.links:
            target, _, fragment = link.partition("#")
            assert not re.match(r"[a-z]+:|/", target), link
            found = (path.parent / target).resolve() if target else path
            assert found.is_file(), f"{path}: {link}"
            if fragment:
                assert fragment in _Page(found.read_text()).ids, f"{path}: {link}"
    for path, page in pages.items():
        for image in json.loads(page.data.get("browser-data", '{"images": []}'))["images"]:
            for part in ("picture", "maps"):
                assert (path.parent / image[part]).is_file()


def test_names_from_records_are_shown_and_never_run(site):
    for path, page in _pages(site).items():
        for tag, attrs in page.tags:
            assert not [name for name in attrs if name.startswith("on")], path
            assert tag != "script" or attrs.get("src") or attrs.get("type") == "application/json", path
    index = (site / "index.html").read_text()
    assert "<script>window" not in index
    assert "<img" not in index
    assert NASTY.rstrip("\u2028") in "".join(_Page(index).texts)
    content = json.loads(_Page(index).data["provenance-data"])
    assert any(NASTY in row["title"] for row in content.values())


def test_json_for_scripts_reads_back_and_cannot_leave_its_element():
    content = {NASTY: [NASTY, "<!--", "]]>", 1.5, None]}
    text = script_json(content)
    assert json.loads(text) == content
    assert not re.search("[<>&\u2028\u2029]", text)


def test_the_first_page_holds_the_figures_and_where_they_come_from(site, results):
    page = _Page((site / "index.html").read_text())
    content = json.loads(page.data["provenance-data"])
    records = {record.model.title: record for record in read_records(results)}
    for title in ("Brightness", "With-Costs"):
        record = records[title]
        (row,) = [row for row in content.values() if row["title"].startswith(title)]
        (shown,) = row["records"]
        words = dict(pair for _, pairs in [*row["groups"], *shown["groups"]] for pair in pairs)
        assert words["digest of pixels and labels"] == record.dataset.digest
        assert words["record"] == f"{record.stem}.record.json"
        assert words["setting ranges"] == "equal"
        assert words["command"] == "ovrisisbench.run"
        assert f"{100 * record.metrics.miou:.2f}" in words["mIoU"]
        assert f"{100 * record.metrics.miou:.2f}*†" in page.texts
    assert "RSKT-Seg" in page.texts  # published
    published = [dict(row["groups"][0][1]) for row in content.values() if not row["records"]]
    assert all("AAAI" in row["citation"] or "README" in row["citation"] for row in published)


def test_the_page_of_a_data_set_holds_every_confusion_matrix_and_class_figure(site, results):
    page = _Page(_result(site).read_text())
    confusion = json.loads(page.data["confusion-data"])
    records = read_records(results)
    assert confusion["classes"] == list(records[0].vocabulary.class_names)
    assert len(confusion["models"]) == len(records)
    assert [list(row) for row in records[0].confusion] in [model["matrix"] for model in confusion["models"]]
    shown = [attrs["data-value"] for tag, attrs in page.tags if tag == "span" and attrs.get("class") == "miou"]
    for value in records[0].metrics.iou:
        assert ("" if value is None else f"{100 * value:.4f}") in shown


def _maps(site: Path, number: int) -> dict:
    (path,) = site.glob(f"pictures/*/isaid/{number}.js")
    return json.loads(path.read_text().removeprefix("ovrisisbench.receive(").removesuffix(");\n"))


def test_label_maps_reach_the_page_and_those_that_were_not_counted_do_not(site, written, drawn_data):
    content = json.loads(_Page(_result(site).read_text()).data["browser-data"])
    assert len(content["images"]) == 6
    dataset = PreparedDataset(drawn_data / "isaid.h5")
    places = {sample.id: index for index, sample in enumerate(dataset.samples)}
    with_costs = 0
    for number, image in enumerate(content["images"]):
        maps = _maps(site, number)
        truth = np.frombuffer(zlib.decompress(base64.b64decode(maps["truth"])), np.uint8)
        assert np.array_equal(truth.reshape(maps["height"], maps["width"]), dataset.label(places[image["id"]]))
        assert [content["models"][int(key)] for key in maps["predictions"]] == ["Brightness"]
        with_costs += bool(maps["costs"])
    assert with_costs == 3
    notes = "\n".join(written.missing)
    assert "is not the one that was counted" in notes
    assert "No label maps of With-Costs" in notes


def test_models_of_one_name_are_told_apart_by_their_training_set(tmp_path):
    records = {train_set: a_record(model=a_model(train_set=train_set)) for train_set in ("dlrsd", "isaid")}
    for record in (*records.values(), a_record(model=a_model(name="cat-seg", title="CAT-Seg"))):
        write_record(record, a_table(), tmp_path / "results")
    written = write_report(tmp_path / "site", results=tmp_path / "results", data=tmp_path / "nowhere")
    (path,) = written.index.parent.glob("results/*/loveda.html")
    data = _Page(path.read_text()).data
    names = [model["name"] for model in json.loads(data["confusion-data"])["models"]]
    assert sorted(names) == ["CAT-Seg, vit-b", "RSKT-Seg, vit-b (DLRSD)", "RSKT-Seg, vit-b (iSAID)"]
    assert json.loads(data["browser-data"])["models"] == names


def test_images_come_with_the_figures_of_their_counts_worst_first(site):
    content = json.loads(_Page(_result(site).read_text()).data["browser-data"])
    means = [np.mean([scores["miou"] for scores in image["scores"] if scores]) for image in content["images"]]
    assert means == sorted(means)
    assert content["of"] == 9


def test_without_prepared_data_the_pages_are_complete_and_say_what_is_missing(results, tmp_path):
    written = write_report(tmp_path / "site", results=results, data=tmp_path / "nowhere", images=4)
    page = _Page(_result(tmp_path / "site").read_text())
    assert any("ovrisis-bench prepare isaid" in text for text in page.texts)
    content = json.loads(page.data["browser-data"])
    assert len(content["images"]) == 4
    assert all(image["scores"] and not image["picture"] for image in content["images"])
    assert written.picture_bytes == 0


def test_without_counts_and_without_records_there_are_pages_still(results, tmp_path):
    copied = shutil.copytree(results, tmp_path / "results")
    for path in copied.rglob("*.npz"):
        path.unlink()
    write_report(tmp_path / "site", results=copied, data=tmp_path)
    assert any("no per-image counts" in text for text in _Page(_result(tmp_path / "site").read_text()).texts)
    written = write_report(tmp_path / "other", results=tmp_path / "none", data=tmp_path, results_must_exist=False)
    assert "Nothing was measured yet" in written.index.read_text()
    assert written.index.with_name("speed.html").read_text().count('<svg class="scatter"') == 4
    with pytest.raises(RecordError, match="no results folder"):
        write_report(tmp_path / "third", results=tmp_path / "none", data=tmp_path)


def test_the_pages_are_small(site, written):
    own = sum(
        path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and "pictures" not in path.parts and "-sheet" not in path.name
    )
    assert own == written.page_bytes < 2_000_000
    scripts = "\n".join((site / "assets" / name).read_text() for name in ASSETS if name.endswith(".js"))
    assert len([line for line in scripts.splitlines() if line.strip() and not line.strip().startswith("//")]) < 500


def test_equal_records_give_equal_pages_and_only_a_report_is_replaced(results, drawn_data, tmp_path, site):
    again = tmp_path / "site"
    write_report(again, results=results, data=drawn_data, images=6)
    for path in site.rglob("*"):
        if path.is_file():
            assert (again / path.relative_to(site)).read_bytes() == path.read_bytes(), path
    (again / "pictures" / "stale.webp").write_bytes(b"")
    write_report(again, results=results, data=drawn_data, images=1)
    assert not (again / "pictures" / "stale.webp").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(OvrisisBenchError, match="would be lost"):
        write_report(tmp_path / "mine", results=results, data=drawn_data)
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_maps_are_reduced_to_the_size_of_the_page_without_new_labels():
    labels = np.random.default_rng(0).integers(0, 3, (1000, 700), np.uint8) * 5
    small = small_labels(labels)
    assert small.shape == shown_size(1000, 700) == (480, 336)
    assert set(np.unique(small)) <= {0, 5, 10}
    assert np.array_equal(small_labels(labels[:100, :90]), labels[:100, :90])
    (stage,) = packed_costs({"CLIP": np.array([[[-1.0, 0.0, 1.0]]], np.float16)})
    assert (stage["low"], stage["high"], stage["height"], stage["width"]) == (-1.0, 1.0, 1, 3)
    assert list(zlib.decompress(base64.b64decode(stage["maps"]))) == [0, 128, 255]


def test_a_chart_names_every_point_and_escapes_its_name():
    svg = scatter_svg([Point(1, 2, "<A>"), Point(3, 4, 'B"', kind="floor")], x_title="x", y_title="y")
    page = _Page(svg)
    assert [tag for tag, _ in page.tags].count("title") == 2
    assert {"<A>", 'B"'} <= set(page.texts)
