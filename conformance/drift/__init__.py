"""Compare the OpenAPI document that Comfy publishes with the excerpt that ships with the suite."""
