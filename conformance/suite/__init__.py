"""The pytest plugin and the module of tests that ``pytest --pyargs conformance`` runs."""
