# The image: every program that a system runs, and nothing else. docs/installing.md says how it is
# built and run, docs/decisions/0015-the-image.md why it is made so. Docker, Podman and buildah
# build it.
#
#   PROGRAMS=build      (default) compiles this checkout
#   PROGRAMS=prebuilt   takes opt/ordo out of programs/ of the context: what `cmake --install` put
#                       there on a machine with the same Debian
ARG BASE=docker.io/library/debian:bookworm-slim
ARG PROGRAMS=build

FROM ${BASE} AS tools
COPY cmake/packages.txt cmake/image/packages.sh /packages/
RUN sh /packages/packages.sh build

FROM tools AS build
COPY . /ordo
ARG REVISION=unknown
# Compilers at a time; each takes up to 1.2 GiB.
ARG JOBS=2
RUN cd /ordo \
  && cmake --preset release -DORDO_TESTS=OFF -DORDO_COMMIT="${REVISION}" \
  && cmake --build build/release -j "${JOBS}" --target programs \
  && cmake --install build/release --prefix /opt/ordo --strip

FROM scratch AS prebuilt
COPY programs/ /

FROM ${PROGRAMS} AS programs

FROM ${BASE} AS runtime
COPY cmake/packages.txt cmake/image/packages.sh /packages/
RUN sh /packages/packages.sh runtime

# The programs and the closure of libraries that they load, below /image.
FROM runtime AS collected
COPY cmake/image/collect.sh /packages/
COPY --from=programs /opt/ordo /opt/ordo
ARG SOURCE_DATE_EPOCH
RUN sh /packages/collect.sh /opt/ordo /image

FROM scratch
COPY --from=collected /image/ /
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ordo" \
  org.opencontainers.image.description="A durable order-pipeline engine: broker, worker and tools" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
ENV PATH=/usr/bin
USER 65532:65532
WORKDIR /tmp
# Clients, workers, a broker's HTTP, the monitor's HTTP.
EXPOSE 7700 7701 7780 7790
CMD ["ordo-broker"]
