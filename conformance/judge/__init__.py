"""From findings to statuses, the verdict and the report. Pure."""
