# The service alone: its database runs beside it (compose.yaml) or elsewhere (GRAPHID_NEO4J_URI).
# Everything is pinned and checked by hash; the local engine's Java is left out.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/graphid
COPY requirements-service.lock ./
RUN /opt/graphid/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --no-deps -r requirements-service.lock
COPY pyproject.toml README.md ./
COPY cypher ./cypher
COPY graphid ./graphid
RUN /opt/graphid/bin/pip install --no-cache-dir --disable-pip-version-check \
        --no-deps --no-build-isolation .

FROM python:3.13-slim
# A fixed number, so that volumes and policies can name it.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin graphid \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/graphid
COPY --from=build /opt/graphid /opt/graphid
ENV PATH=/opt/graphid/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GRAPHID_HOST=0.0.0.0 \
    GRAPHID_PORT=8080 \
    GRAPHID_DATA_DIR=/var/lib/graphid
WORKDIR /
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"GRAPHID_PORT\"]}/readyz', timeout=4)"]
ENTRYPOINT ["graphid"]
CMD ["serve"]
