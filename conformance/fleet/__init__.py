"""Fleets: many endpoints, each checked as ``check`` does it, spread over processes and machines by Dask."""
