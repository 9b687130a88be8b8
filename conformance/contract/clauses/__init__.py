"""The clauses: one file for each first word of an id."""
