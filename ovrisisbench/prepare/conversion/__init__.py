"""Masks to label maps, scenes to windows, in parallel and resumable."""
