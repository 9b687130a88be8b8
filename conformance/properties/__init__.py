"""Send generated requests to a server, and find the smallest ones that break a clause."""
