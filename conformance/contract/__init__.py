"""The contract: its clauses, and what they look at. Pure: no network, no clock, no pytest."""
