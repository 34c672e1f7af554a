"""Small trained weights that come with the package: ``index.yaml`` and the files that it lists; no code."""
