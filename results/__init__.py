"""Published results as records; read through :mod:`ovrisisbench.records`."""
