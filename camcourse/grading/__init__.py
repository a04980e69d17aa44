"""Grade submissions: each in its own sandbox, in parallel, and resumable."""
