"""What ``pytest --pyargs conformance`` runs: the pytest plugin and the module with the tests."""
