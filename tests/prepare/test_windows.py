from hypothesis import given
from hypothesis import strategies as st

from ovrisisbench.catalog.cards import WindowRule
from ovrisisbench.prepare.windows import Box, enclosing_boxes, window_boxes

rules = st.builds(
    WindowRule,
    size=st.integers(1, 40),
    stride=st.integers(1, 40),
    last=st.sampled_from(["clamped", "dropped"]),
    evidence=st.just("experiment"),
)
sides = st.integers(1, 120)


def boxes_within(limit: int) -> st.SearchStrategy[Box]:
    starts = st.tuples(st.integers(0, limit), st.integers(1, 12), st.integers(0, limit), st.integers(1, 12))
    return starts.map(lambda box: Box(box[0], box[0] + box[1], box[2], box[2] + box[3]))


def test_whole_image_without_a_rule():
    assert window_boxes(30, 40, None) == [Box(0, 30, 0, 40)]


def test_rows_come_first_in_names():
    assert Box(1, 2, 3, 4).suffix == "1_2_3_4"


def test_last_window_is_moved_back_to_the_border():
    rule = WindowRule(size=256, stride=206, last="clamped", evidence="experiment")
    assert [box.x0 for box in window_boxes(256, 824, rule)] == [0, 206, 412, 568]


def test_last_window_is_left_out_when_dropped():
    rule = WindowRule(size=256, stride=206, last="dropped", evidence="experiment")
    assert [box.x0 for box in window_boxes(256, 824, rule)] == [0, 206, 412]
    assert window_boxes(255, 824, rule) == []


def test_windows_that_fall_on_each_other_count_once():
    rule = WindowRule(size=256, stride=206, last="clamped", evidence="experiment")
    assert [box.suffix for box in window_boxes(256, 462, rule)] == ["0_256_0_256", "0_256_206_462"]


def test_an_image_narrower_than_the_window_gives_one_of_its_own_width():
    rule = WindowRule(size=256, stride=206, last="clamped", evidence="experiment")
    assert window_boxes(300, 100, rule) == [Box(0, 256, 0, 100), Box(44, 300, 0, 100)]


@given(sides, sides, rules)
def test_windows_lie_inside_are_unique_and_of_one_size(height, width, rule):
    boxes = window_boxes(height, width, rule)
    assert len(set(boxes)) == len(boxes)
    for box in boxes:
        assert 0 <= box.y0 < box.y1 <= height
        assert 0 <= box.x0 < box.x1 <= width
        assert (box.height, box.width) == (min(rule.size, height), min(rule.size, width))


@given(sides, sides, st.integers(1, 40), st.integers(1, 40))
def test_clamped_windows_reach_the_border_and_leave_no_gap_if_they_overlap(height, width, size, stride):
    rule = WindowRule(size=size, stride=min(stride, size), last="clamped", evidence="experiment")
    covered = {
        (row, column)
        for box in window_boxes(height, width, rule)
        for row in range(box.y0, box.y1)
        for column in (box.x0, box.x1 - 1)
    }
    assert {row for row, _ in covered} == set(range(height))
    assert max(column for _, column in covered) == width - 1


@given(st.lists(boxes_within(60), max_size=25))
def test_enclosing_boxes_hold_every_box_and_are_disjoint(boxes):
    enclosing = enclosing_boxes(boxes)
    for box in boxes:
        holding = [
            other
            for other in enclosing
            if other.y0 <= box.y0 and box.y1 <= other.y1 and other.x0 <= box.x0 and box.x1 <= other.x1
        ]
        assert len(holding) == 1
    assert not any(a.overlaps(b) for a in enclosing for b in enclosing if a is not b)


@given(st.lists(boxes_within(60), max_size=15), st.randoms())
def test_enclosing_boxes_do_not_depend_on_the_order(boxes, random):
    shuffled = list(boxes)
    random.shuffle(shuffled)
    assert enclosing_boxes(shuffled) == enclosing_boxes(boxes)
