"""Official checkpoints: whose tensors they hold, under which names, and what is wrong with them."""
