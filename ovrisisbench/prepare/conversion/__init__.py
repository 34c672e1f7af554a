"""Pairs of image and mask to windows and label maps, a part file at a time."""
