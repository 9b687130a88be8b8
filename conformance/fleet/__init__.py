"""Check many targets as ``check`` does, with processes on this machine or a Dask cluster."""
