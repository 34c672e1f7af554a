from ovrisisbench.catalog import class_overlap, load_card, load_protocol, load_vocabulary
from ovrisisbench.catalog.class_groups import CLASS_GROUPS, class_groups
from ovrisisbench.catalog.overlap_table import OverlapTable


def groups_of(train_set, dataset, **changes):
    variant = load_card(dataset).variant()
    names = load_vocabulary(variant.vocabulary).class_names
    return class_groups(train_set, names, dataset=dataset, variant=variant.name, **changes)


def test_the_groups_are_the_levels_of_the_overlap():
    protocol = load_protocol()
    for train in protocol.train_sets:
        for test in protocol.datasets:
            levels = class_overlap(protocol.vocabulary(train), protocol.vocabulary(test)).counts()
            found = groups_of(train, test)
            assert [found.groups.count(group) for group in CLASS_GROUPS] == [
                levels["exact"] + levels["variant"],
                levels["near"],
                levels["unseen"],
            ]
            assert found.is_judged


def test_a_mini_data_set_is_judged_as_the_one_it_is_drawn_after():
    assert groups_of("mini-dlrsd", "mini-loveda") == groups_of("dlrsd", "loveda")


def test_every_class_is_in_one_group():
    found = groups_of("isaid", "uavid")
    assert [sum(flags) for flags in zip(*map(found.of, CLASS_GROUPS), strict=True)] == [1] * len(found.groups)


def test_another_table_changes_what_is_near():
    nothing = OverlapTable(format=1, name="mine", title="Nothing is near", judgements=())
    found = groups_of("dlrsd", "loveda", table=nothing)
    assert "near" in groups_of("dlrsd", "loveda").groups
    assert "near" not in found.groups
    assert not found.is_judged


def test_names_that_no_vocabulary_has_are_compared_as_strings():
    found = class_groups("dlrsd", ["Water", "Road", "Lagoon"], dataset="loveda", variant="v1-8-classes")
    assert found.groups == ("seen", "unseen", "unseen")
    assert not found.is_judged
