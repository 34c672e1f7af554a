"""The small encoders that come with the package: how they are trained on the mini world, from nothing, on a CPU."""
