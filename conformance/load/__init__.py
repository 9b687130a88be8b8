"""The clauses under load: Locust sends the requests, every answer is judged.

``user`` holds the Locust user, ``locustfile`` is what ``locust -f`` takes; ``stream`` and ``tally`` are pure
and know no Locust.
"""
