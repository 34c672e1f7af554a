"""The mini world as eight downloads, each in its publisher's layout."""
