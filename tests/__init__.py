"""The tests. Folders mirror the package, or are named for what they try; beside them lie helpers that all share."""
