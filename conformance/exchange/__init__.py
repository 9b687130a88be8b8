"""From bytes to exchanges: requests, responses, headers, content codings, keys, recordings."""
