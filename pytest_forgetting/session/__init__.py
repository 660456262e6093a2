"""One pytest session: what happens between the hooks of `plugin.py`, from the options to the summary."""
