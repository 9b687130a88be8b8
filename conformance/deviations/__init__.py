"""Known deviations: a register, outside the suite, of failures that somebody accepts until a day, for a reason."""
