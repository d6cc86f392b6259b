# One image for the site, the workers, the scheduler and the migrations; docker-compose.yml picks the command.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
WORKDIR /src
COPY pyproject.toml constraints.txt ./
# Dependencies first: they change more seldom than the code, and the layer is large.
RUN /opt/venv/bin/python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" > requirements.txt \
 && /opt/venv/bin/pip install -c constraints.txt -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/neurobotanica --create-home --shell /usr/sbin/nologin neurobotanica \
 && install --directory --owner neurobotanica --mode 700 /var/lib/neurobotanica/audit
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY manage.py pyproject.toml constraints.txt ./
COPY neurobotanica neurobotanica
COPY genomepath genomepath
COPY correlations correlations
COPY ethics ethics
COPY templates templates
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NEUROBOTANICA_ENV=production \
    NEUROBOTANICA_HOME=/var/lib/neurobotanica \
    OMP_NUM_THREADS=1
USER neurobotanica
VOLUME /var/lib/neurobotanica
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--blocking-threads", "4", "neurobotanica.wsgi:application"]
