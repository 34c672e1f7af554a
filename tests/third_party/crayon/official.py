"""The file of weights: two tensors, whatever else a training loop leaves beside them."""

from ovrisisbench.adapter import CheckpointReport

CHANNELS = 8
EXPECTED = {"colour.weight": (CHANNELS, 3), "colour.bias": (CHANNELS,)}


def report(shapes):
    """Say what a file holds; None if it is not ours."""
    if "colour.weight" not in shapes:
        return None
    return CheckpointReport(
        model="crayon",
        backbone="small",
        missing=tuple(key for key in EXPECTED if key not in shapes),
        unused=tuple(key for key in shapes if key not in EXPECTED),
        misshapen=tuple(key for key, shape in EXPECTED.items() if key in shapes and tuple(shapes[key]) != shape),
    )
