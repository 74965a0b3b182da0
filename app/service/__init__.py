"""What we do with a lead. Speaks only to ports: no framework, no SQL, no HTTP client in these files."""
