"""ovrisisbench measures open-vocabulary segmentation models on overhead imagery."""

__version__ = "0.1.0"

__all__ = ["__version__"]
