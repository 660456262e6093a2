"""Facts, and the small models made from them."""
