# The command line and the jobs: what migrates, and what runs at the first minute of every hour.
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE}

WORKDIR /srv/atlas-stage
COPY pyproject.toml LICENSE README.md ./
COPY atlas_stage atlas_stage
COPY board board
COPY gateway gateway
COPY migrations migrations
COPY sql sql
COPY cron cron
COPY tools/generate.py tools/
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore '.[cli]'

ENV PYTHONUNBUFFERED=1
USER nobody
ENTRYPOINT ["atlas-stage"]
CMD ["--help"]
