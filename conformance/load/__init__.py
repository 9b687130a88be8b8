"""Check responses under load: Locust sends the requests, and every response is checked against the clauses.

The module ``user`` has the Locust user, and ``locustfile`` is the file for ``locust -f``. ``stream`` and ``tally`` are
pure and do not depend on Locust.
"""
