"""The prepared file: its manifest, how it is written, read and verified."""
