"""What is told: each module a view of one Comparison."""
