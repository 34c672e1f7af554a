"""How images get into the models: the official test mappers, normalisation and padding."""
