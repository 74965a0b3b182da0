"""The benchmark: the real service over loopback, a stub provider, and a bare FastAPI endpoint in the same run.

The service has one core, the load generator and the stub provider the other. Figures drift with the machine,
so every throughput stands beside the bare endpoint's of the same run. A missed target is printed as missed;
the benchmark fails only where it could not measure.
"""
