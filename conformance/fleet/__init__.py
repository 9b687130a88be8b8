"""Check many targets as ``check`` does, in several processes on this machine or on a Dask cluster."""
