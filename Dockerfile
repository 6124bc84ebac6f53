# syntax=docker/dockerfile:1
ARG PYTHON=3.13-slim-bookworm

# The packages, as the lock has them.
FROM python:${PYTHON} AS packages
WORKDIR /srv/classifaily
COPY requirements/runtime.txt requirements/
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement requirements/runtime.txt

# The pages, as `make pages` builds them: with the Node of a Python wheel.
FROM python:${PYTHON} AS pages
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/classifaily
COPY Makefile ./
COPY requirements/node.txt requirements/
COPY web web
RUN make pages

# The models in the form in which they run: the first answer of a container is as fast as any.
FROM packages AS models
COPY app app
RUN .venv/bin/python -c "from pathlib import Path; from app.engines.embedded import EmbeddedEngine; EmbeddedEngine(Path('models')).load()"

FROM python:${PYTHON}
RUN groupadd --system --gid 10001 classifaily \
    && useradd --system --uid 10001 --gid classifaily --home-dir /data --no-create-home classifaily \
    && install --directory --owner classifaily --group classifaily --mode 0700 /data
WORKDIR /srv/classifaily
COPY --from=packages /srv/classifaily/.venv .venv
COPY --from=models /srv/classifaily/models models
COPY app app
COPY --from=pages /srv/classifaily/app/web/static app/web/static
RUN .venv/bin/python -m compileall -q app
# What is not set here is as .env.example has it. The models are read, never written.
ENV PATH=/srv/classifaily/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CLASSIFAILY_DATA_DIR=/data \
    CLASSIFAILY_MODELS_DIR=/srv/classifaily/models \
    CLASSIFAILY_HOST=0.0.0.0 \
    CLASSIFAILY_PUBLIC_URL=http://127.0.0.1:8000 \
    CLASSIFAILY_LOG_FORMAT=json
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('CLASSIFAILY_PORT', '8000') + '/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
