"""Records of drawn counts, written as a run writes them."""

from ovrisisbench.records import write_record
from tests.records.examples import a_model, a_record
from tests.statistics.drawn_counts import drawn_table

CLASSES = ("road", "water", "tree", "car")


def drawn_record(*, quality=0.6, seed=0, table=None, **changes):
    """A record of four classes on thirty scenes, and its counts."""
    table = table if table is not None else drawn_table(quality=quality, seed=seed)
    return a_record(table=table, **{"class_names": CLASSES, **changes}), table


def written(results, *, quality=0.6, seed=0, table=None, **changes):
    """Write such a record; return its path."""
    record, table = drawn_record(quality=quality, seed=seed, table=table, **changes)
    return write_record(record, table, results)


def better_model():
    return a_model(name="cat-seg", title="CAT-Seg", settings={})
