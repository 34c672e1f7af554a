"""Data-set cards, vocabularies and protocols as YAML; read through :mod:`ovrisisbench.catalog`."""
