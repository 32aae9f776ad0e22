# Two targets: `light` scores, compares, rates and reports; `train` has torch, too.
#
#     docker build --target light -t harness .
#     docker run --rm -v "$PWD:/work" --user "$(id -u)" harness --help

FROM python:3.12-slim AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim AS light
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir /wheels/*.whl
# Caches of whoever runs it, under any number.
ENV HOME=/home/harness
RUN useradd --create-home --uid 1000 harness && chmod 1777 /home/harness
USER 1000
WORKDIR /work
ENTRYPOINT ["harness"]

FROM light AS train
USER 0
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip install --no-cache-dir "$(echo /wheels/*.whl)[train]"
USER 1000
