"""Many targets, each checked as ``check`` does it, by processes of this machine or a Dask cluster."""
