"""Images that show the same, within and across data sets."""
