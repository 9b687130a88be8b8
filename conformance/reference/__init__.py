"""The reference server: it conforms, or has one chosen fault. It shares no code with the checks in ``contract/``."""
