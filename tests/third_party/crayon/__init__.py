"""Crayon: every word has a colour, and every pixel goes to the word whose colour is nearest."""

from ovrisisbench.adapter import AdapterInfo, Setting

INFO = AdapterInfo(
    name="crayon",
    title="Crayon",
    summary="Compares a linear map of the colours around each place with vectors of the letters in a class name.",
    adapter="crayon.adapter:CrayonAdapter",
    backbones={"small": "8 channels"},
    weights=("crayon.pth, which you train yourself; nothing else.",),
    settings={"cell": Setting("8", "Side of the cells whose mean colour is compared, in pixels.", ("4", "8", "16"))},
    prompts="The bare class name.",
    preprocessing="Mean colour of every cell, divided by 255.",
    checkpoint_reader="crayon.official:report",
    concurrent=True,
)
