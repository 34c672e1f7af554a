"""From class names to text embeddings: name rules, templates, tokens, the encoder and its cache."""
