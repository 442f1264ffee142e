# Pagemill from its wheel, with Debian's headless Chromium. `pagemill init` wrote it; `docker compose build worker` uses it.
# It installs the wheel docker/pagemill-VERSION-*.whl where that is, else that version from your package index.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS built
ARG VERSION=0.2.0
COPY docker/constraints.txt docker/pagemill-*.whl /wheels/
RUN python3 -m venv /opt/pagemill
RUN set -- /wheels/pagemill-${VERSION}-*.whl \
 && if [ -e "$1" ]; then wanted="$1[api,postgres]"; else wanted="pagemill[api,postgres]==${VERSION}"; fi \
 && /opt/pagemill/bin/pip install --no-cache-dir --disable-pip-version-check -c /wheels/constraints.txt "$wanted"

FROM ${BASE} AS runtime
# fonts-noto-cjk would add 90 MB; pages are read, not looked at. libatomic1 is for the Node in Playwright's driver; util-linux has
# unshare, which tells whether the sandbox works.
RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium-headless-shell libatomic1 util-linux \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log \
 && useradd --uid 10001 --create-home --home-dir /home/pagemill pagemill \
 && install -d -o pagemill -g pagemill /srv/pagemill /srv/pagemill/data \
 && install -d -o pagemill -g pagemill -m 700 /run/pagemill-api
COPY --from=built /opt/pagemill /opt/pagemill
COPY docker/health.sh /usr/local/bin/pagemill-health
COPY docker/api-start.sh /usr/local/bin/pagemill-api
COPY --chown=pagemill:pagemill config /srv/pagemill/config
ENV PATH=/opt/pagemill/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PAGEMILL_LOG_FORMAT=json
USER pagemill
WORKDIR /srv/pagemill
ENTRYPOINT ["pagemill"]
CMD ["worker", "--processes", "1"]
