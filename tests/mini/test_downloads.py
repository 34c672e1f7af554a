"""Mini downloads lie as their publishers' do, are the same for equal seeds, and become what was drawn."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from ovrisisbench.catalog import load_card, load_cards
from ovrisisbench.cli import cli
from ovrisisbench.errors import DataError
from ovrisisbench.mini import draw_downloads, draw_scene, load_style
from ovrisisbench.mini.downloads.drawing import item_seed, place_of
from ovrisisbench.mini.downloads.layouts import LAYOUTS
from ovrisisbench.prepare import PreparedDataset, prepare, prepared_path
from ovrisisbench.prepare.everything import prepare_all
from ovrisisbench.prepare.preparation import Settings


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    """The smallest mini world, drawn and prepared: (folder of downloads, folder of data, report)."""
    folder = tmp_path_factory.mktemp("mini")
    draw_downloads(folder / "downloads", images=1, workers=1)
    report = prepare_all(folder / "downloads", folder / "data", settings=Settings(allow_partial=True, workers=1))
    return folder / "downloads", folder / "data", report


def _digest(folder):
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def test_all_eight_are_recognised_in_their_publishers_layout_and_nothing_else_is_missed(mini):
    report = mini[2]
    assert [outcome.dataset for outcome in report.datasets] == list(LAYOUTS)
    for outcome in report.datasets:
        assert outcome.status == "prepared", outcome
        assert outcome.report.layout == "publisher"
        assert outcome.report.variant == load_card(outcome.dataset).default_variant


def test_the_only_thing_wrong_with_a_smaller_world_is_its_size(mini):
    for outcome in mini[2].datasets:
        assert {finding.severity for finding in outcome.report.findings} <= {"partial", "warning"}
        subjects = {finding.subject for finding in outcome.report.findings}
        assert not subjects - {"split train", "split val", "split test", "classes"}, outcome.report.findings


@pytest.mark.parametrize("key", LAYOUTS)
def test_the_label_maps_are_those_of_the_drawing(mini, key):
    style, card = load_style(key), load_card(key)
    item = LAYOUTS[key].items(1, style)[0]
    scene = draw_scene(style, item_seed(key, 0, item), place=place_of(style, item), aim=item.aim)
    indices = np.array([card.variant().index(label) for label in style.labels_of_kinds()], np.uint8)
    expected = indices[scene.kinds]
    with PreparedDataset(prepared_path(mini[1], key)) as prepared:
        shown = 0
        for number, sample in enumerate(prepared.samples):
            if (
                sample.source.replace("_0", "/") in (item.name, item.name.replace("_", "/"))
                or sample.source == item.name
            ):
                window = np.s_[sample.y0 : sample.y1, sample.x0 : sample.x1]
                assert (prepared.label(number) == expected[window]).all()
                error = np.abs(prepared.image(number).astype(int) - scene.picture[window]).mean()
                assert error < 6  # JPEG in two of them
                shown += 1
    assert shown or key == "mini-uavid"  # its frames are numbered anew


def test_the_cards_count_what_is_drawn_by_default():
    for key, layout in LAYOUTS.items():
        splits = [item.split for item in layout.items(30, load_style(key))]
        assert {split.name: split.images for split in load_card(key).splits} == {
            split: splits.count(split) for split in set(splits)
        }


@pytest.mark.parametrize("images", [1, 7, 130])
def test_names_are_unique_at_every_size(images):
    for key, layout in LAYOUTS.items():
        items = layout.items(images, load_style(key))
        assert len({(item.split, item.name) for item in items}) == len(items)


def test_downloads_do_not_depend_on_the_number_of_processes(tmp_path):
    for workers in (1, 2):
        draw_downloads(tmp_path / str(workers), images=5, datasets=["mini-udd5"], workers=workers)
    assert _digest(tmp_path / "1") == _digest(tmp_path / "2")


def test_what_is_complete_is_kept_and_what_was_interrupted_is_drawn_anew(tmp_path):
    def draw(**changes):
        return draw_downloads(tmp_path, images=1, datasets=["mini-vdd"], workers=1, **changes)[0]

    assert draw().is_new
    before = _digest(tmp_path)
    assert not draw().is_new
    assert _digest(tmp_path) == before
    (tmp_path / "mini-vdd").rename(tmp_path / ".mini-vdd.unfinished")
    next((tmp_path / ".mini-vdd.unfinished").rglob("*.png")).unlink()
    assert draw().is_new
    assert _digest(tmp_path) == before
    with pytest.raises(DataError, match="holds another drawing of mini-vdd"):
        draw(seed=1)
    (tmp_path / "mini-vdd" / "mini-vdd.drawn.json").unlink()
    with pytest.raises(DataError, match="is no drawn download of mini-vdd"):
        draw()


def test_a_drawn_download_is_not_taken_for_the_real_data_set_nor_the_reverse(mini, tmp_path):
    with pytest.raises(DataError, match="no download of iSAID that is known here"):
        prepare("isaid", mini[0] / "mini-isaid", tmp_path, allow_partial=True, check=True)
    copy = tmp_path / "unmarked"
    shutil.copytree(mini[0] / "mini-isaid", copy)
    (copy / "mini-isaid.drawn.json").unlink()
    with pytest.raises(DataError, match="no download of Mini-iSAID that is known here"):
        prepare("mini-isaid", copy, tmp_path, allow_partial=True, check=True)


def test_the_folder_of_one_download_can_be_given_as_well(mini, tmp_path):
    report = prepare("mini-loveda", mini[0] / "mini-loveda", tmp_path, allow_partial=True, workers=1)
    with PreparedDataset(prepared_path(mini[1], "mini-loveda")) as prepared:
        assert report.digest == prepared.manifest.digest


def test_drawn_cards_have_what_their_sisters_have():
    drawn = [card for card in load_cards() if card.drawn_after]
    assert [card.key for card in drawn] == list(LAYOUTS)
    for card in drawn:
        sister = load_card(card.drawn_after)
        assert card.family == sister.key
        assert card.classes == sister.classes
        assert card.scene_pattern == sister.scene_pattern
        assert card.variant().labels == sister.variant(card.variant().name).labels
        assert card.variant().vocabulary == sister.variant(card.variant().name).vocabulary
        assert not card.citations
        assert not card.traps


def test_the_command_draws_and_says_what_comes_next(tmp_path):
    arguments = ["mini", "--to", str(tmp_path / "down"), "--scenes", "1", "--datasets", "mini-udd5", "--workers", "1"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert "mini-udd5" in result.output
    assert "ovrisis-bench prepare --all --from" in result.output
    marker = json.loads((tmp_path / "down" / "mini-udd5" / "mini-udd5.drawn.json").read_text())
    assert (marker["dataset"], marker["images"], marker["seed"]) == ("mini-udd5", 1, 0)


def test_the_command_wants_to_know_where_to(tmp_path):
    result = CliRunner().invoke(cli, ["mini"])
    assert result.exit_code == 2
    assert "--to DIRECTORY" in result.output


def test_the_sheet_shows_all_eight(tmp_path):
    from PIL import Image

    result = CliRunner().invoke(cli, ["mini", "--sheet", str(tmp_path / "sheet.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 1000
        assert len(sheet.getcolors(2**24)) > 20_000
