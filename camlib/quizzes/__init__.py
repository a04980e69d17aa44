"""Questions for self-checking, one file a chapter."""
