"""Who answers: references, fingerprints, loading, the pair that shares weights."""
