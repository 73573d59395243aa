"""An API that exposes its metrics by one of the two libraries: LIBRARY. /answer/CODE answers so, /boom raises, /slow takes 1.2 s."""

import asyncio
import os

from fastapi import FastAPI, Response

app = FastAPI()


@app.get("/health")
async def health():
    return {"status": "healthy"}


@app.get("/answer/{code}")
async def answer(code: int):
    return Response(status_code=code)


@app.get("/slow")
async def slow():
    await asyncio.sleep(1.2)
    return {"slow": True}


@app.get("/boom")
async def boom():
    raise RuntimeError("boom")


if os.environ["LIBRARY"] == "prometheus-fastapi-instrumentator":
    from prometheus_fastapi_instrumentator import Instrumentator

    Instrumentator(excluded_handlers=os.environ.get("EXCLUDED", "").split()).instrument(app).expose(app)
else:
    from starlette_exporter import PrometheusMiddleware, handle_metrics, handle_openmetrics

    app.add_middleware(PrometheusMiddleware, app_name="api", prefix=os.environ.get("PREFIX", "starlette"), skip_paths=os.environ.get("EXCLUDED", "").split())
    app.add_route("/metrics", handle_openmetrics if os.environ.get("OPENMETRICS") else handle_metrics)
