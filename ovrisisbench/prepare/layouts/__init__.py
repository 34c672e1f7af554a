"""Which files belong together: one reader for each way that a data set lies on disk."""
