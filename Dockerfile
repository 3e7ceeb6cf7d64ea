# One image recipe for all programs: docker build --build-arg SERVICE=intake .
# SERVICE is one of the five services, issuer, or init (which prepares the servers and ends).
FROM python:3.11-slim-bookworm AS packages
WORKDIR /app
RUN python -m venv .venv
COPY requirements.lock .
# The lock holds the tools for development too; a few MB more than needed, but one tested set.
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY cli cli
COPY examples examples
COPY services services
COPY shared shared
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e .

FROM python:3.11-slim-bookworm
ARG SERVICE
ENV SERVICE=${SERVICE} PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --create-home overread \
    && for each in intake deid matching reporting notify issuer; do mkdir -p "/overread/$each"; done \
    && mkdir -p /objects /mail \
    && chown -R overread /overread /objects /mail
COPY --from=packages /app /app
WORKDIR /app
USER overread
# What `overread init` wrote for this program stands in a volume of its own: no other's secrets.
CMD ["sh", "-c", "exec overread run \"$SERVICE\" \"/overread/$SERVICE\""]
