# charpipe with its REST service and web UI.
#   docker build -t charpipe .
#   docker build -t charpipe:cuda --build-arg CUDA=1 .      # torch with CUDA: run it with --gpus all
#   docker run -p 7860:7860 -v charpipe-data:/data -v charpipe-models:/models charpipe
FROM python:3.11-slim-bookworm AS build
ARG CUDA=0
ARG EXTRAS=web,dedupe
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY src src
RUN python -m venv /opt/charpipe \
    && if [ "$CUDA" = 1 ]; then EXTRAS="$EXTRAS,clip"; fi \
    && /opt/charpipe/bin/pip install --no-cache-dir -c requirements.lock ".[$EXTRAS]"

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 charpipe \
    && useradd --uid 10001 --gid charpipe --create-home charpipe \
    && install -d -o charpipe -g charpipe /data /models
COPY --from=build /opt/charpipe /opt/charpipe
ENV PATH=/opt/charpipe/bin:$PATH \
    HF_HOME=/models \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/models"]
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["charpipe"]
CMD ["serve", "--host", "0.0.0.0", "--output", "/data", "--log-json"]
