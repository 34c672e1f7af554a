"""Expected against found: what is wrong with a download, the likely cause, and what to do."""
