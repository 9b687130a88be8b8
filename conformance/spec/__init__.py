"""The OpenAPI document that ships with the suite, its known mistakes (errata), and the user's own document."""
