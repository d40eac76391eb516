# syntax=docker/dockerfile:1

# The compiler runs on the machine that builds; the program is cross-compiled.
FROM --platform=$BUILDPLATFORM dhi.io/golang:1.26-debian13-dev AS build
# go.mod may ask for a newer patch release than the image has.
ENV GOTOOLCHAIN=auto
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags="-s -w -X main.release=$VERSION" -o /out/dhibot ./cmd/dhibot \
    && mkdir /out/data

# What ships: one static binary and an empty directory for its database. The
# image has CA certificates, no shell and no package manager.
FROM dhi.io/static:20250419-debian13
COPY --from=build /out/dhibot /usr/local/bin/dhibot
COPY --from=build --chown=65532:65532 /out/data /data
WORKDIR /data
ENV DHIBOT_DATABASE_URL=sqlite:/data/dhibot.db
EXPOSE 3000
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["/usr/local/bin/dhibot", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/dhibot"]
CMD ["serve"]
