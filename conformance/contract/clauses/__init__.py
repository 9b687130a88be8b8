"""The clauses, a file for each first word of an id: quote above check."""
