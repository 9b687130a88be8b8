# The suite in a container: docker build -t comfy-conformance . && docker run --rm comfy-conformance check --target embedded
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE comfy_queue_conformance.py ./
COPY openapi openapi
COPY conformance conformance
RUN python -m venv /opt/conformance && /opt/conformance/bin/pip install --no-cache-dir --quiet .

FROM python:3.13-slim
COPY --from=build /opt/conformance /opt/conformance
ENV PATH=/opt/conformance/bin:$PATH
RUN useradd --create-home --uid 10001 conformance
USER 10001
WORKDIR /home/conformance
ENTRYPOINT ["comfy-conformance"]
CMD ["--help"]
