"""Things of the mini world: each function puts one on a stage."""
