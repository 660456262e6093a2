"""The documentation: every block of code in it is run, every table and reference page made anew and compared."""
