"""Time of one training step of every tiny network, on one core.

python benchmarks/training_step.py [--crops 8] [--classes 4] [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from ovrisisbench.adapter.recipe import load_recipe, resolve_recipe
from ovrisisbench.adapter.registry import list_adapters, load_object
from ovrisisbench.adapter.training import StartOptions
from ovrisisbench.train.loading import Batch
from ovrisisbench.train.step import Stepper


def step_seconds(model: str, trainer: str, recipe_file: str, *, crops: int, classes: int, repeats: int) -> list[float]:
    """Return the seconds of each repeated step; two more come before them."""
    resolved = resolve_recipe(load_recipe(recipe_file), title=model, backbone="tiny", train_set="dlrsd")
    training = load_object(trainer, what=model).start(
        StartOptions(
            backbone="tiny",
            class_names=[f"class {number}" for number in range(classes)],
            recipe=resolved.recipe,
            settings=resolved.settings,
            untrained=True,
        )
    )
    side, generator = resolved.recipe.crop, torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (crops, 3, side, side), dtype=torch.uint8, generator=generator)
    blocks = torch.randint(0, classes, (crops, 1, side // 16, side // 16), generator=generator).float()
    labels = torch.nn.functional.interpolate(blocks, size=(side, side))[:, 0].to(torch.uint8)
    batch = Batch(images, labels, tuple(map(str, range(crops))))
    stepper = Stepper(training, resolved.recipe, device="cpu", precision="float32")
    seconds = []
    for number in range(repeats + 2):
        start = time.perf_counter()
        stepper.step(batch, number)
        seconds.append(time.perf_counter() - start)
    return seconds[2:]


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=8)
    parser.add_argument("--classes", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'model':<10} {'median s':>9} {'min s':>9}   one step of {given.crops} crops, {given.classes} classes")
    for found in list_adapters()[0]:
        info = found.info
        if info.trainer:
            times = step_seconds(
                info.title,
                info.trainer,
                info.recipe,
                crops=given.crops,
                classes=given.classes,
                repeats=given.repeats,
            )
            print(f"{info.name:<10} {statistics.median(times):>9.3f} {min(times):>9.3f}")


if __name__ == "__main__":
    main()
