"""The plugin as a user meets it: pytest run on suites, with and without xdist."""
