"""Turn findings into the status of each clause, the verdict, and the report. Does no I/O."""
