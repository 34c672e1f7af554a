"""Records become one row each, with the figures they hold."""

from pathlib import Path

import pandas as pd

from ovrisisbench.records import read_record, to_frame
from ovrisisbench.records.frame import COLUMNS
from tests.records.examples import a_record, a_seen

HISTORIC = Path(__file__).parent / "historic" / "v1.record.json"


def test_a_row_holds_the_figures_and_identity_of_its_record():
    record = read_record(HISTORIC)
    frame = to_frame([record, record])
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 2
    row = frame.iloc[0]
    assert row["miou"] == record.metrics.miou
    assert row["protocol_id"] == record.protocol.id
    assert row["dataset"] == record.dataset.key
    assert isinstance(frame, pd.DataFrame)


def test_what_training_has_seen_is_a_column_and_empty_where_unknown():
    frame = to_frame([a_record(data={"seen_in_training": a_seen()}), a_record()])
    assert frame["images_seen_in_training"][0] == 1
    assert frame["images_seen_in_training"].isna().tolist() == [False, True]
