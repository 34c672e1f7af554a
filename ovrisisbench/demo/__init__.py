"""The embedded default: a few drawn scenes through the whole benchmark, on any machine, without a download."""
