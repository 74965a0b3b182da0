# Leadring's image: the service, its pinned packages, nothing else. Runs as nobody in particular, on a read-only
# root; it writes to /data (SQLite) and /tmp only.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /app
# The packages come first: a change in the code does not install them again.
COPY requirements/runtime.txt requirements/runtime.txt
RUN /opt/venv/bin/pip install --quiet --no-compile --require-hashes -r requirements/runtime.txt \
 && /opt/venv/bin/pip uninstall --quiet --yes pip
COPY app app
COPY static static
COPY leadring.example.toml leadring.example.toml
# Bytecode is made here, as the root is read-only later; unchecked, as no source changes inside an image.
RUN rm -r requirements \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib app \
 && printf '#!/bin/sh\nexec python -m app "$@"\n' >/opt/venv/bin/leadring \
 && chmod 0755 /opt/venv/bin/leadring

# The same base as above: the virtual environment points at its interpreter.
FROM python:3.13-slim
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Leadring" \
      org.opencontainers.image.description="Answers website leads by telephone" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 leadring \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin leadring \
 && install -d -o 10001 -g 10001 -m 0750 /data
# Owned by root: the service cannot change its own code.
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# Ready out of the box with the example directory. For your own: mount it and set
# LEADRING_CONFIG=/config/leadring.toml (docker-compose.yml does both).
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LEADRING_CONFIG=/app/leadring.example.toml \
    LEADRING_DATABASE_URL=sqlite:////data/leadring.db
WORKDIR /app
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# No shell and no proxy from the environment in between; /readyz answers 503 when it cannot take leads.
HEALTHCHECK --interval=15s --timeout=4s --start-period=20s --retries=3 CMD ["python", "-c", "from urllib import request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=3)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
