"""A drawn data set's card says only what differs from its sister's, and a wrong one is refused by file and field."""

import pytest
import yaml

from ovrisisbench.catalog import load_card
from ovrisisbench.catalog.cards import load_card_file
from ovrisisbench.catalog.yaml_files import installed_files
from ovrisisbench.errors import CatalogError


def _changed(tmp_path, **changes):
    content = yaml.safe_load(installed_files("datasets")["mini-isaid"].read_text())
    path = tmp_path / "mini-isaid.yaml"
    path.write_text(yaml.safe_dump({**content, **changes}))
    return path


def test_what_is_not_said_comes_from_the_sister(tmp_path):
    card, sister = load_card_file(_changed(tmp_path)), load_card("isaid")
    assert card == load_card("mini-isaid")
    assert (card.drawn_after, card.family, sister.family) == ("isaid", "isaid", "isaid")
    assert (card.bands, card.classes, card.scene_pattern) == (sister.bands, sister.classes, sister.scene_pattern)
    assert [layout.name for layout in card.layouts] == ["publisher"]
    assert card.layout("publisher").images == sister.layout("publisher").images


def test_windows_are_the_sisters_but_for_what_is_said(tmp_path):
    own, sister = load_card("mini-isaid").variant().windows, load_card("isaid").variant().windows
    assert (own.size, own.stride, own.last) == (sister.size, sister.stride, sister.last)
    assert (own.keep_above, sister.keep_above) == (0.02, 0.1)


def test_a_name_tells_the_split_where_folders_do_not():
    patterns = {split.name: split.names for split in load_card("mini-dlrsd").splits}
    assert set(patterns) == {"train", "val"}
    assert all(patterns.values())


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"drawn_after": "isiad"}, "Did you mean 'isaid'"),
        ({"drawn_after": "mini-vdd"}, "'mini-vdd' is a drawn data set itself"),
        ({"layouts": ["devkit"]}, "the sister has no 'devkit'; it has publisher, bundle"),
        ({"variants": [{"name": "grid", "why": "no", "counts": {}}]}, "the sister has no 'grid'; it has isaid5i-256"),
        ({"nickname": "i"}, "nickname"),
        ({"splits": [{"name": "train", "images": 3, "names": "("}]}, "no regular expression"),
    ],
)
def test_a_wrong_field_is_named(tmp_path, changes, named):
    with pytest.raises(CatalogError) as caught:
        load_card_file(_changed(tmp_path, **changes))
    assert named in str(caught.value)
