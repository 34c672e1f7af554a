"""What the models that aggregate a cost volume share: CAT-Seg and its descendants.

They correlate dense image features with text embeddings, refine the resulting
cost volume over space and over classes, and enlarge it under the guidance of
intermediate encoder features. They also share the way images get in and
scores get out.
"""
