"""The models that ship with the harness, one folder each, found through the same entry point as anybody's."""
