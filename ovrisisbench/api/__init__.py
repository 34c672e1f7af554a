"""The calls of ``import ovrisisbench as ob`` that put several steps together, as the commands of their names do.

Commands that are one function of a step already, such as ``run``, have no
function here; ``ovrisisbench.__init__`` lists where each name comes from.
"""
