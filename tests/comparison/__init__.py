"""What changed: outcomes, statistics held against golden values, gates, causes, advice."""
