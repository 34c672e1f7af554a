"""The embedded default: the mini world through the whole benchmark, on any machine, without a download."""
