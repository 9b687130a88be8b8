"""The modules that ``pytest --pyargs conformance`` runs."""
