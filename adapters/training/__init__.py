"""What the trainable models share: where a network starts, which of its tensors learn, the loss of pixels."""
