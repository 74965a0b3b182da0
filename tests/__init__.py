"""The truths of Leadring, as tests. Mirrors `app/`."""
