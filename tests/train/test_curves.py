from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

from ovrisisbench.train.curves import curves_svg
from ovrisisbench.train.progress_log import ProgressLog, read_log


def _lines(steps: int) -> list[dict[str, float]]:
    return [{"step": step, "loss": 1 / step, "lr": 1e-4, "gradient_norm": 1.0} for step in range(1, steps + 1)]


def test_a_picture_of_loss_and_rate_is_one_of_three_with_evaluations() -> None:
    plain = ET.fromstring(curves_svg(_lines(5)))
    measured = ET.fromstring(curves_svg([*_lines(5), {"step": 5, "miou": 0.25}]))
    texts = [[text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")] for tree in (plain, measured)]
    assert "loss (median of 20 steps)" in texts[0]
    assert not any("mIoU" in text for text in texts[0])
    assert any("mIoU" in text for text in texts[1])
    assert "25" not in texts[0]
    assert float(measured.get("height")) == 1.5 * float(plain.get("height"))


def test_a_long_training_makes_a_small_picture_that_ends_where_it_ended() -> None:
    picture = curves_svg(_lines(30_000))
    assert len(picture) < 60_000
    assert "30000 steps" in picture
    assert "700.0," in picture


def test_one_step_and_an_undefined_mean_are_drawn_too() -> None:
    ET.fromstring(curves_svg([*_lines(1), {"step": 1, "miou": None}]))
    ET.fromstring(curves_svg([]))


def test_a_log_forgets_what_came_after_the_checkpoint_and_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with ProgressLog(path, start=0) as log:
        for step in (1, 2, 3):
            log.write(step=step, loss=0.5)
        log.write(step=2, miou=0.1)
    with path.open("a") as file:
        file.write('{"step": 4, "lo')
    with ProgressLog(path, start=2) as log:
        assert log.evaluated == {2}
        log.write(step=3, loss=0.25)
    assert read_log(path) == [
        {"step": 1, "loss": 0.5},
        {"step": 2, "loss": 0.5},
        {"step": 2, "miou": 0.1},
        {"step": 3, "loss": 0.25},
    ]
