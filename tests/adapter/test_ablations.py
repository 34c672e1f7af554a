"""The ablations that come with a model, against the published tables and the model's own settings."""

from __future__ import annotations

import pytest

from ovrisisbench.adapter.ablations import AblationFile, AblationRow, load_ablations
from ovrisisbench.adapter.recipe import load_recipe, resolve_recipe
from ovrisisbench.adapter.registry import find_adapter, list_adapters
from ovrisisbench.adapters.rskt_seg.config import TINY
from ovrisisbench.records.published_ablations import read_published_ablations

INFOS = [found.info for found in list_adapters()[0] if found.info.ablations]
RSKT = find_adapter("rskt-seg").info
TABLES = {table.name: table for table in read_published_ablations()}


def _definitions():
    return [(info, name, definition) for info in INFOS for name, definition in load(info).ablations.items()]


def load(info) -> AblationFile:
    return load_ablations(info.ablations)


def _full(table, row) -> dict[str, object]:
    return {column.key: row.switches.get(column.key, False) for column in table.columns}


@pytest.mark.parametrize(
    ("info", "name", "definition"), _definitions(), ids=lambda value: getattr(value, "name", value)
)
def test_an_ablation_has_the_rows_and_training_sets_of_its_printed_table(info, name, definition) -> None:
    table = TABLES[definition.published]
    assert table.model == info.name
    printed = [row.switches for row in table.rows]
    rows = [_full(table, row) for row in definition.rows]
    assert rows == printed[: len(rows)], "in the same order"
    assert all(switches in rows for switches in printed)
    assert {row.train_set for row in table.rows} - {None} <= set(definition.train_sets)
    assert _full(table, AblationRow(switches=definition.reference)) in rows


@pytest.mark.parametrize(
    ("info", "name", "definition"), _definitions(), ids=lambda value: getattr(value, "name", value)
)
def test_every_switch_file_and_recipe_field_of_a_row_is_one_of_the_model(info, name, definition) -> None:
    file = load(info)
    known = {*info.pretrained, *file.extra_files}
    for row in definition.rows:
        settings = file.settings_of(definition, row, changes={}, backbone="vit-b", train_set="dlrsd")
        for switch, value in settings.items():
            choices = info.settings[switch].choices
            assert not choices or value in choices
        assert set(row.files) <= set(file.encoders) <= set(info.pretrained)
        assert set(row.files.values()) <= known
        resolve_recipe(
            load_recipe(info.recipe), title=info.title, backbone="vit-b", train_set="dlrsd", changes=row.recipe
        )


def test_all_published_ablations_can_be_run() -> None:
    defined = {definition.published for _, _, definition in _definitions()}
    assert defined == set(TABLES)


@pytest.mark.parametrize("train_set", ["dlrsd", "isaid"])
@pytest.mark.parametrize("backbone", ["vit-b", "vit-l"])
def test_the_whole_model_has_the_layers_of_its_recipe(backbone: str, train_set: str) -> None:
    file = load(RSKT)
    definition = file.ablations["components"]
    whole = file.settings_of(definition, definition.rows[-1], changes={}, backbone=backbone, train_set=train_set)
    recipe = resolve_recipe(load_recipe(RSKT.recipe), title="", backbone=backbone, train_set=train_set)
    assert whole["layers"] == recipe.settings["layers"]


def test_the_tiny_network_has_its_own_number_of_layers() -> None:
    file = load(RSKT)
    definition = file.ablations["fusion"]
    settings = file.settings_of(definition, definition.rows[0], changes={}, backbone="tiny", train_set="dlrsd")
    assert settings["layers"] == str(TINY.layers)


def test_what_a_user_turns_wins_over_the_table_but_not_over_the_row() -> None:
    file = load(RSKT)
    definition = file.ablations["pretrained"]
    none, rs_dino = definition.rows[:2]
    changes = {"efficient": "on", "dino": "off"}
    options = {"changes": changes, "backbone": "tiny", "train_set": "dlrsd"}
    assert file.settings_of(definition, none, **options)["efficient"] == "on"
    assert file.settings_of(definition, rs_dino, **options)["dino"] == "on"


def test_a_row_starts_only_from_files_of_encoders_that_it_has() -> None:
    file = load(RSKT)
    rows = file.ablations["pretrained"].rows
    wanted = []
    for row in rows:
        settings = file.settings_of(file.ablations["pretrained"], row, changes={}, backbone="vit-b", train_set="dlrsd")
        wanted.append(file.files_of(row, settings))
    assert wanted == [
        {},
        {"dino": "dino"},
        {"dino": "natural_dino"},
        {"dino": "dino"},
        {"dino": "natural_dino"},
        {"dino": "dino", "remote_clip": "remote_clip"},
        {"dino": "natural_dino", "remote_clip": "remote_clip"},
    ]
