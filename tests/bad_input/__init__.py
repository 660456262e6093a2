"""Each thing that a user can get wrong, the one message it gives, and that nothing is lost by it."""
