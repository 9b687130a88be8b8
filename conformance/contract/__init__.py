"""The contract: its clauses and the data that they check. Pure: no network, no clock, no pytest."""
