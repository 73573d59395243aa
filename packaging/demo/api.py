"""A small API as the runbook has it: /health gives the version, /api/v1/health what it needs, /api/v1/properties reads Postgres and Redis.

Environment: VERSION, DATABASE (a libpq connection string), REDIS_PORT, FAULT (a file; what it says goes wrong while it exists:
"errors 0.3" answers 30% with 500, "latency 1.5" answers 1.5 s late, "sick" makes /health answer 503, "late-health 0.8" makes it answer
0.8 s late).
"""

import asyncio
import os
import random
import threading

import psycopg2.pool
import redis
from fastapi import FastAPI, Response
from fastapi.concurrency import run_in_threadpool

version = os.environ["VERSION"]
fault_file = os.environ["FAULT"]
app = FastAPI()
CONNECTIONS = 8
database = psycopg2.pool.ThreadedConnectionPool(CONNECTIONS, CONNECTIONS, os.environ["DATABASE"])
room = threading.BoundedSemaphore(CONNECTIONS)  # the pool itself refuses whoever comes while all are lent; here they wait for their turn
cache = redis.Redis(port=int(os.environ["REDIS_PORT"]), password="secret")


def fault():
    try:
        with open(fault_file, encoding="utf-8") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


@app.middleware("http")
async def say_who_answers(request, call_next):
    response = await call_next(request)
    response.headers["X-Release"] = version
    return response


async def misbehave():
    """True where this answer is to be an error."""
    what = fault()
    if what[:1] == ["latency"]:
        await asyncio.sleep(float(what[1]))
    return what[:1] == ["errors"] and random.random() < float(what[1])


@app.get("/health")
async def health(response: Response):
    what = fault()
    sick = what == ["sick"]
    if what[:1] == ["late-health"]:
        await asyncio.sleep(float(what[1]))
    response.status_code = 503 if sick else 200
    return {"status": "sick" if sick else "healthy", "version": version}


@app.get("/api/v1/health")
def detailed_health(response: Response):
    checks = {"database": check(read_properties), "cache": check(cache.ping)}
    response.status_code = 200 if set(checks.values()) == {"ok"} else 503
    return {"status": "healthy" if response.status_code == 200 else "sick", "checks": checks}


def check(ask):
    try:
        ask()
        return "ok"
    except Exception as error:
        return type(error).__name__


def read_properties():
    with room:
        connection = database.getconn()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT id, city, price FROM properties ORDER BY id LIMIT 5")
                rows = cursor.fetchall()
        finally:
            database.putconn(connection)
    return {"views": cache.incr("views"), "properties": [{"id": i, "city": c, "price": p} for i, c, p in rows]}


@app.get("/api/v1/properties")
async def properties(response: Response):
    if await misbehave():
        response.status_code = 500
        return {"error": "the new release can't do this any more"}
    return await run_in_threadpool(read_properties)


@app.post("/api/v1/report")
async def report():
    await asyncio.sleep(3)  # it takes its time, and is none the worse for it
    return {"report": "done"}


@app.get("/api/v1/ping")
async def ping(response: Response):
    if await misbehave():
        response.status_code = 500
        return {"error": "the new release can't do this any more"}
    return {"pong": True}
