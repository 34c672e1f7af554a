"""Which files belong together and what their masks hold: one reader for each way that a data set lies on disk."""
