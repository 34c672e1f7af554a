import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovrisisbench.catalog import load_protocol
from ovrisisbench.errors import CatalogError, RecordError
from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.leaderboard.model import MEAN, METRICS
from ovrisisbench.records import ProtocolUsed, read_published
from tests.leaderboard.boards import a_board, a_published, all_datasets, scored, without_truth
from tests.records.examples import DATASETS, a_floor, a_model, a_record, a_run, a_seen, a_table


def rows_of(board):
    """All rows but those that nobody ran."""
    return [row for section in board.sections for block in section.blocks for row in block.rows if not row.computed]


def ranked_cells(board):
    return [key for row in rows_of(board) for key, cell in row.cells.items() if cell.rank]


def named(title):
    return a_model(name=title.lower(), title=title)


other = named("Other")

configurations = st.builds(
    dict,
    quality=st.integers(0, 92),
    name=st.sampled_from("abc"),
    protocol=st.sampled_from(["00000001", "00000002"]),
    train_set=st.sampled_from(["dlrsd", "isaid"]),
    backbone=st.sampled_from(["vit-b", "vit-l"]),
    kind=st.sampled_from(["trained", "trained", "floor", "untrained"]),
    limited=st.booleans(),
    datasets=st.sets(st.sampled_from(DATASETS), min_size=1),
)


def records_of(configuration):
    kind = configuration["kind"]
    weights = {"trained": "checkpoint", "floor": "none", "untrained": "untrained"}[kind]
    model = a_model(
        title=configuration["name"],
        kind="floor" if kind == "floor" else "trained",
        weights=weights,
        train_set=configuration["train_set"],
        backbone=configuration["backbone"],
        **({} if weights == "checkpoint" else {"checkpoint": None}),
        settings={"name": configuration["name"]},
    )
    data = {"images_total": 9, "limited": True} if configuration["limited"] else {}
    return [
        scored(
            configuration["quality"], dataset=key, model=model, protocol={"id": configuration["protocol"]}, data=data
        )
        for key in sorted(configuration["datasets"])
    ]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(configurations, min_size=1, max_size=7, unique_by=lambda one: str({**one, "quality": 0, "datasets": 0}))
)
def test_only_comparable_rows_compete_and_the_best_is_the_maximum(drawn):
    records = [record for configuration in drawn for record in records_of(configuration)]
    board = leaderboard_table(records)
    assert [section.protocol_id for section in board.sections] == sorted({record.protocol.id for record in records})
    for section in board.sections:
        for block in section.blocks:
            for key in section.columns:
                cells = [(row, row.cells[key]) for row in block.rows if key in row.cells]
                competing = [cell.value for row, cell in cells if row.ranked and not cell.incomplete]
                for row, cell in cells:
                    competes = row.ranked and not cell.incomplete
                    is_best = competes and len(competing) > 1 and cell.value == max(competing)
                    assert (cell.rank == "best") == is_best
                    assert competes or cell.rank == ""


def test_rows_of_two_protocol_ids_never_compete():
    board = leaderboard_table([*all_datasets(40), *all_datasets(50, protocol={"id": "545ff852"}, model=other)])
    assert len(board.sections) == 2
    assert ranked_cells(board) == []


def test_rows_of_two_variants_never_compete():
    rules = [load_protocol(name) for name in ("ovrisisbench-v1", "ovrisisbench-v1+potsdam:grid-512")]
    used = [ProtocolUsed.of(one).model_dump() for one in rules]
    records = [
        *all_datasets(40, protocol=used[0]),
        *all_datasets(50, protocol=used[0], model=other),
        *all_datasets(60, protocol=used[1], model=named("Third")),
    ]
    board = leaderboard_table(records)
    assert [section.protocol for section in board.sections] == [one.name for one in rules]
    plain, derived = board.sections
    assert {row.title for block in plain.blocks for row in block.rows if not row.computed} == {"RSKT-Seg", "Other"}
    assert [row.title for block in derived.blocks for row in block.rows if not row.computed] == ["Third"]
    assert not any(cell.rank for block in derived.blocks for row in block.rows for cell in row.cells.values())
    assert leaderboard_table(records, protocol="ovrisisbench-v1+potsdam:grid-512").sections == (derived,)
    assert leaderboard_table(records, protocol="ovrisisbench-v1+loveda:v1-8-classes+potsdam:grid-512").sections == (
        derived,
    )
    assert leaderboard_table(records, [a_published()], protocol="ovrisisbench-v1+potsdam:grid-256").sections == (
        leaderboard_table(records, [a_published()], protocol="ovrisisbench-v1").sections
    )


def test_a_variant_that_was_not_measured_shows_nothing():
    assert leaderboard_table(all_datasets(40), protocol="ovrisisbench-v1+potsdam:grid-512").sections == ()
    with pytest.raises(CatalogError, match="Did you mean 'grid-512'"):
        leaderboard_table(all_datasets(40), protocol="ovrisisbench-v1+potsdam:grid-51")


def left_out(digit, **changes):
    return {"seen_in_training": a_seen(of=2, left_out=True, ids_digest=digit * 64, **changes)}


def test_rows_that_were_spared_other_images_never_compete():
    heldout = {"name": "ovrisisbench-v1-heldout", "id": "545ff852"}
    one, same, less = (
        [scored(40 + index, dataset=key, model=model, protocol=heldout, data=left_out(digit)) for key in DATASETS]
        for index, (model, digit) in enumerate([(a_model(), "a"), (other, "a"), (named("Third"), "b")])
    )
    board = leaderboard_table([*one, *same])
    assert board.sections[0].mixed == frozenset()
    assert ranked_cells(board)
    board = leaderboard_table([*one, *same, *less[:1]])
    assert board.sections[0].mixed == {DATASETS[0]}
    assert {key for key, _ in ranked_cells(board)} == set(DATASETS[1:])
    (note,) = [note for note in board.sections[0].notes if note.startswith("‡")]
    assert "not the same ones were left out as seen in training" in note


def test_models_of_two_training_sets_may_be_spared_different_images():
    heldout = {"name": "ovrisisbench-v1-heldout", "id": "545ff852"}
    isaid = a_model(train_set="isaid")
    board = leaderboard_table(
        [
            scored(40, protocol=heldout, data=left_out("a")),
            scored(50, protocol=heldout, data=left_out("b", train_set="isaid"), model=isaid),
            scored(60, protocol=heldout, data={"images_total": 1}, model=a_floor()),
        ]
    )
    assert board.sections[0].mixed == frozenset()


def test_rows_of_two_training_sets_or_sizes_never_compete():
    models = [a_model(), a_model(train_set="isaid"), a_model(backbone="vit-l")]
    board = leaderboard_table([record for model in models for record in all_datasets(40, model=model)])
    assert [(block.train_set, block.family) for block in board.sections[0].blocks] == [
        ("dlrsd", "B"),
        ("dlrsd", "L"),
        ("isaid", "B"),
        (None, ""),
    ]
    assert ranked_cells(board) == []


def test_published_figures_never_compete_with_measured_ones():
    measured = all_datasets(40)
    alone = leaderboard_table(measured)
    board = leaderboard_table(measured, read_published())
    assert board.sections[0] == alone.sections[0]
    assert [section.source for section in board.sections] == ["measured", "published", "published"]
    assert all(section.protocol_id is None for section in board.sections[1:])


def test_columns_are_in_the_protocols_order_whatever_was_measured_first():
    section = leaderboard_table([scored(1, dataset="vdd"), scored(1, dataset="dlrsd")]).sections[0]
    assert tuple(section.datasets) == load_protocol().datasets
    assert list(section.datasets.values())[:4] == ["DLRSD", "iSAID", "LoveDA", "Potsdam"]


def test_a_mean_needs_every_data_set():
    full, lacking = rows_of(leaderboard_table([*all_datasets(40), *all_datasets(50, model=other)[1:]]))
    assert full.title == "RSKT-Seg"
    assert full.value((MEAN, "macc")) == pytest.approx((100 + 40 + 3.5) / 2)
    assert (MEAN, "miou") not in lacking.cells


def test_the_mean_is_that_of_unrounded_columns():
    (row,) = rows_of(leaderboard_table(all_datasets(33)))
    for metric in METRICS:
        exact = sum(row.value((key, metric)) for key in DATASETS) / 8
        assert row.value((MEAN, metric)) == pytest.approx(exact, abs=1e-12)


def test_an_undefined_figure_leaves_the_mean_blank():
    records = all_datasets(40)
    empty = a_record(dataset="vdd", table=a_table([[[0, 0], [0, 0]]]), class_names=("road", "water"))
    (row,) = rows_of(leaderboard_table([*records[:-1], empty]))
    assert row.cells["vdd", "miou"].value is None
    assert (MEAN, "miou") not in row.cells


def test_a_part_of_the_images_is_marked_and_never_ranked():
    limited = all_datasets(90, model=other, data={"images_total": 10, "limited": True})
    partial = all_datasets(80, model=named("Third"), data={"partial": True, "partial_reasons": ("1 is missing",)})
    board = leaderboard_table([*all_datasets(40), *all_datasets(30, model=named("Last")), *limited, *partial])
    ranks = {(row.title, cell.rank) for row in rows_of(board) for cell in row.cells.values()}
    assert ranks == {("RSKT-Seg", "best"), ("Last", "second"), ("Other", ""), ("Third", "")}
    assert all(cell.incomplete for row in rows_of(board) if row.title == "Other" for cell in row.cells.values())
    assert "Other vit-b: DLRSD 1 of 10 images" in board.sections[0].notes[0]
    assert "Third vit-b: DLRSD 1 of 1 images, partial data" in board.sections[0].notes[0]


def test_a_complete_record_goes_before_one_on_fewer_images():
    limited = [scored(90, data={"images_total": total, "limited": True}) for total in (9, 8)]
    board = leaderboard_table([*limited, scored(40)])
    (row,) = rows_of(board)
    assert row.value(("loveda", "macc")) == 70
    assert not row.cells["loveda", "miou"].incomplete
    assert any("2 record(s) on a part of the images are not shown" in note for note in board.sections[0].notes)


def test_floors_and_untrained_weights_are_shown_and_not_ranked():
    untrained = a_model(weights="untrained", checkpoint=None, seed=0)
    board = leaderboard_table(
        [*all_datasets(10), *all_datasets(80, model=untrained), *all_datasets(90, model=a_floor())]
    )
    assert ranked_cells(board) == []
    assert [row.label for row in rows_of(board)] == ["RSKT-Seg", "RSKT-Seg (untrained weights)", "Most frequent class"]
    assert board.sections[0].blocks[-1].title == "Floors and ceilings"
    assert any("Untrained weights" in note for note in board.sections[0].notes)
    assert any("Floors are" in note for note in board.sections[0].notes)


def test_different_prepared_data_in_one_column_is_marked_and_not_ranked():
    records = [*all_datasets(40), *all_datasets(50, model=other)[:-1]]
    records.append(scored(57, dataset="vdd", model=other, data={"digest": "e" * 64}))
    section = leaderboard_table(records).sections[0]
    assert section.mixed == {"vdd"}
    ranked = {key[0] for key in ranked_cells(leaderboard_table(records))}
    assert ranked == set(DATASETS) - {"vdd"}
    (note,) = [note for note in section.notes if note.startswith("‡")]
    assert note.startswith("‡ VDD: not all rows were measured on the same pixels, labels and class names")
    assert "(prepared data dddddddd, eeeeeeee)" in note


def test_partial_data_do_not_unrank_the_complete_rows_of_a_column():
    lacking = {"partial": True, "partial_reasons": ("1 is missing",), "digest": "e" * 64}
    records = [scored(40), scored(50, model=other), scored(60, model=named("Third"), data=lacking)]
    board = leaderboard_table(records)
    assert board.sections[0].mixed == frozenset()
    assert {row.title: row.cells["loveda", "miou"].rank for row in rows_of(board)} == {
        "Other": "best",
        "RSKT-Seg": "second",
        "Third": "",
    }


def test_one_model_on_two_preparations_gets_two_rows():
    newer = a_run(date="2026-06-01T00:00:00Z")
    board = leaderboard_table([scored(40), scored(50, data={"digest": "e" * 64}, run=newer)])
    found = {row.label: row.value(("loveda", "macc")) for row in rows_of(board)}
    assert found == {"RSKT-Seg": 75, "RSKT-Seg (other prepared data)": 70}


def test_rows_of_one_title_say_what_tells_them_apart():
    models = [
        a_model(settings={"layers": 5, "rotations": True}),
        a_model(settings={"layers": 2, "rotations": True}),
        a_model(settings={"layers": 2, "rotations": True}, precision="tf32"),
    ]
    labels = {row.label for row in rows_of(leaderboard_table([scored(40, model=model) for model in models]))}
    assert labels == {"RSKT-Seg (layers=5)", "RSKT-Seg (layers=2)", "RSKT-Seg (tf32, layers=2)"}
    checkpoints = [a_model(checkpoint={"file": f"{name}.pth", "sha256": name * 64}) for name in "ab"]
    labels = {row.label for row in rows_of(leaderboard_table([scored(40, model=model) for model in checkpoints]))}
    assert labels == {"RSKT-Seg (a.pth aaaaaaaa)", "RSKT-Seg (b.pth bbbbbbbb)"}


def test_a_setting_that_only_one_of_two_rows_has_still_tells_them_apart():
    models = [a_model(settings={"layers": 5}), a_model(settings={"layers": 5, "new": True})]
    labels = {row.label for row in rows_of(leaderboard_table([scored(40, model=model) for model in models]))}
    assert len(labels) == 2
    assert all(label.startswith("RSKT-Seg (configuration ") for label in labels)


def test_rows_are_sorted_by_their_mean_and_the_rest_by_name():
    incomplete = scored(99, model=named("A"))
    board = leaderboard_table([incomplete, *all_datasets(30, model=other), *all_datasets(40)])
    assert [row.title for row in rows_of(board)] == ["RSKT-Seg", "Other", "A"]


def test_means_over_fewer_classes_say_so():
    section = leaderboard_table([without_truth(50, dataset="uavid"), scored(40)]).sections[0]
    (row,) = section.blocks[0].rows
    assert row.cells["uavid", "miou"].lacks_classes
    assert not row.cells["loveda", "miou"].lacks_classes
    assert section.notes[0] == (
        "* The mean runs over fewer classes than the vocabulary has: UAVid mIoU 1 of 2, UAVid mACC 1 of 2."
    )


def test_records_that_disagree_about_one_protocol_id_are_refused():
    with pytest.raises(RecordError, match="same protocol id 125d31fc but list different data sets"):
        leaderboard_table([scored(1), scored(1, model=other, protocol={"datasets": ("loveda",)})])


def test_the_order_of_records_leaves_no_trace():
    records = [*all_datasets(40), *all_datasets(50, model=other), *all_datasets(10, model=a_floor())]
    assert leaderboard_table(records[::-1]) == leaderboard_table(records)


@pytest.mark.parametrize("wanted", ["ovrisisbench-v1", "125d31fc"])
def test_one_protocol_can_be_picked_by_name_or_id(wanted):
    other_id = {"name": "ovrisisbench-v1-heldout", "id": "545ff852"}
    records = [scored(40), scored(40, protocol=other_id)]
    board = leaderboard_table(records, [a_published()], protocol=wanted)
    assert [(section.source, section.protocol_id) for section in board.sections] == [
        ("measured", "125d31fc"),
        ("published", None),
    ]


def test_published_figures_go_with_the_installed_protocol_they_claim():
    installed = load_protocol()
    assert len(leaderboard_table([], [a_published()], protocol=installed.id).sections) == 1
    assert leaderboard_table([], [a_published()], protocol="ovrisisbench-v1-heldout").sections == ()


def test_an_unknown_protocol_is_an_error_with_a_suggestion():
    with pytest.raises(RecordError, match=r"no protocol 'ovrisisbench-v2'.* Did you mean 'ovrisisbench-v1'\?"):
        leaderboard_table([scored(40)], protocol="ovrisisbench-v2")


def test_published_means_are_computed_and_odd_ones_named():
    board = leaderboard_table([], read_published())
    table1, readme = board.sections
    by_name = {(row.title, row.backbone, block.train_set): row for block in table1.blocks for row in block.rows}
    ovris = by_name["OVRIS", "ViT-B", "dlrsd"]
    assert ovris.value((MEAN, "macc")) == 54.38875
    assert ovris.printed_means["macc"] == 54.51
    (odd,) = (note for note in table1.notes if note.startswith("Means are computed"))
    assert odd.endswith(
        "the source prints m-mACC 54.51 for OVRIS ViT-B trained on DLRSD "
        "and m-mIoU 44.56 for GSNet ViT-L trained on DLRSD."
    )
    assert not any(note.startswith("Means are computed") for note in readme.notes)


def test_published_table_1_has_four_blocks_in_printed_order_with_computed_marks():
    table1 = leaderboard_table([], read_published()).sections[0]
    assert [(block.train_set, block.family, len(block.rows)) for block in table1.blocks] == [
        ("dlrsd", "B", 7),
        ("dlrsd", "L", 7),
        ("isaid", "B", 7),
        ("isaid", "L", 7),
    ]
    assert [row.title for row in table1.blocks[0].rows][:3] == ["SCAN", "SAN", "SED"]
    uavid = {row.title: row.cells["uavid", "miou"].rank for row in table1.blocks[1].rows}
    assert {title: rank for title, rank in uavid.items() if rank} == {"Cat-Seg": "best", "RSKT-Seg": "second"}


def test_the_example_board_shows_every_mark():
    board = a_board()
    cells = [cell for row in rows_of(board) for cell in row.cells.values()]
    assert {cell.rank for cell in cells} == {"best", "second", ""}
    assert any(cell.incomplete for cell in cells)
    assert any(cell.lacks_classes for cell in cells)
    assert any(section.mixed for section in board.sections)


def test_a_published_table_of_other_data_sets_is_not_shown_beside_measured_rows():
    mini = {"name": "ovrisisbench-mini-v1", "id": "0241c44c", "datasets": ["mini-dlrsd", "mini-vdd"]}
    record = scored(50, dataset="mini-vdd", protocol=mini)
    assert [section.source for section in leaderboard_table([record], [a_published()]).sections] == ["measured"]
    assert [section.source for section in leaderboard_table([], [a_published()]).sections] == ["published"]
    both = leaderboard_table([record, *all_datasets(40)], [a_published()])
    assert [section.source for section in both.sections] == ["measured", "measured", "published"]
