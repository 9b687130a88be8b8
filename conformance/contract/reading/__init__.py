"""Parse a body: as a whole, or on the fast path, which verifies most jobs without building Python values from them."""
