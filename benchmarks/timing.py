"""Comparing ways to compute the same thing: fairly, in one process, on a machine that others use too.

Process CPU time does not see other processes' time slices, all ways take turns
in every round, and a ratio pairs the times of one round. So ratios carry over
between machines far better than milliseconds do.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Bar", "compare", "print_verdict"]


@dataclass(frozen=True)
class Bar:
    """How many times faster than its peer a way must be."""

    way: str
    peer: str
    at_least: float


def compare(
    title: str,
    ways: Mapping[str, Callable[..., np.ndarray]],
    inputs: Sequence[tuple],
    *,
    rounds: int,
    bars: Sequence[Bar] = (),
) -> bool:
    """Check that all ways agree, time them, print a table, and tell whether every bar is met.

    Args:
        title: heading of the table.
        ways: name -> function of one input; the first is the peer that the table's ratios refer to.
        inputs: many different ones, since a processor learns a single one by heart.
        rounds: how often every way handles all inputs.
        bars: what must hold.

    Raises:
        ValueError: a way's result differs from the first one's.
    """
    _check_equal(title, ways, inputs)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            for arguments in inputs:
                way(*arguments)
            seconds[name].append((time.process_time() - start) / len(inputs))
    peer = next(iter(ways))
    print(f"\n{title}: CPU ms per image, median of {rounds} rounds over {len(inputs)} images")
    for name, times in seconds.items():
        print(f"  {name:42s} {1000 * statistics.median(times):9.2f} ms {_ratio(seconds, peer, name):8.2f}x")
    met = [_is_met(bar, _ratio(seconds, bar.peer, bar.way)) for bar in bars]
    return all(met)


def print_verdict(*, all_met: bool) -> int:
    """Print whether every bar was met; return the exit code."""
    print("\nall bars met" if all_met else "\nA BAR WAS MISSED")
    return 0 if all_met else 1


def _check_equal(title: str, ways: Mapping[str, Callable[..., np.ndarray]], inputs: Sequence[tuple]) -> None:
    (first_name, first), *others = ways.items()
    for arguments in inputs:
        expected = first(*arguments)
        for name, way in others:
            differing = np.count_nonzero(way(*arguments) != expected)
            if differing:
                raise ValueError(f"{title}: {name} differs from {first_name} in {differing} places")


def _ratio(seconds: Mapping[str, Sequence[float]], peer: str, way: str) -> float:
    return statistics.median(theirs / ours for theirs, ours in zip(seconds[peer], seconds[way], strict=True))


def _is_met(bar: Bar, ratio: float) -> bool:
    verdict = "met" if ratio >= bar.at_least else "MISSED"
    print(f"  bar: {bar.way} at least {bar.at_least:g}x {bar.peer}: {ratio:.2f}x, {verdict}")
    return ratio >= bar.at_least
