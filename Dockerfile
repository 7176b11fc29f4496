# The page and its HTTP API. For a processor:
#   docker build -t dragondiffusion .
# for NVIDIA GPUs, with the build of torch that PyPI has:
#   docker build -t dragondiffusion:cuda --build-arg TORCH_INDEX=https://pypi.org/simple .
FROM python:3.11-slim AS build
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
WORKDIR /build
RUN python -m venv /opt/venv
COPY constraints.txt ./
RUN /opt/venv/bin/pip install --no-cache-dir --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/venv/bin/pip install --no-cache-dir -c constraints.txt '.[web,masks,lora,heic]'

FROM python:3.11-slim
COPY --from=build /opt/venv /opt/venv
RUN useradd --create-home --uid 1000 dragon && install -d -o dragon -g dragon /data /models
ENV PATH=/opt/venv/bin:$PATH HF_HOME=/models/huggingface PYTHONUNBUFFERED=1
USER dragon
VOLUME ["/data", "/models"]
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=10s --start-period=180s CMD ["python", "-c", "import json, sys, urllib.request as u; sys.exit(json.load(u.urlopen('http://127.0.0.1:7860/api/health', timeout=8))['status'] != 'ready')"]
ENTRYPOINT ["dragondiffusion", "web", "--host", "0.0.0.0", "--port", "7860", "--data", "/data"]
