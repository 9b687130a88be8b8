"""Read a body: in full, or on the fast path, which proves most bodies valid without building them."""
