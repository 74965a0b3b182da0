"""The whole service in one event loop: several replicas, virtual time, and a seed that decides what happens when."""
