"""Measurements that anyone can run, each a module with a command of its own; README.md has the figures.

Its being a package keeps ours from being hidden: pyarrow 17 brings one of the same name.
"""
