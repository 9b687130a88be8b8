"""Reading a body: in full, and the fast path that proves most bodies good without building them."""
