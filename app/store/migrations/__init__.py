"""The schema's history, one file a step; run by app/store/migrate.py."""
