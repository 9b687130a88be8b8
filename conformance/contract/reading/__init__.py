"""Parse a body: in full, or on the fast path, which verifies most jobs without building Python values from them."""
