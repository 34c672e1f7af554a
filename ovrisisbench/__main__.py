"""``python -m ovrisisbench`` is the command line; torchrun starts it that way."""

from ovrisisbench.cli import main

if __name__ == "__main__":
    main()
