"""Who answers: references, fingerprints, loading, adapters, the audit, recordings."""
