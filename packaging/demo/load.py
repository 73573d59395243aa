"""Users. Each request on a connection of its own, and a few kept-alive clients counted apart. A JSON line a request on standard output.

usage: load.py URL RATE KEPT_ALIVE_CLIENTS
"""

import asyncio
import json
import signal
import sys
import time
import urllib.parse

LIMIT = 10  # seconds for a request


async def read_answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    if "chunked" in headers.get("transfer-encoding", ""):
        while (size := int((await reader.readline()).split(b";")[0], 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    else:
        await reader.readexactly(int(headers.get("content-length", 0)))
    return status, headers


def report(kind, began, status=None, release=None, error=None):
    print(json.dumps({"kind": kind, "began": began, "ended": time.time(), "status": status, "release": release, "error": error}), flush=True)


def request(url, connection):
    return f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nUser-Agent: demo-user\r\nConnection: {connection}\r\n\r\n".encode()


async def one(url):
    began = time.time()
    writer = None
    try:
        async with asyncio.timeout(LIMIT):
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(request(url, "close"))
            status, headers = await read_answer(reader)
        report("fresh", began, status, headers.get("x-release"))
    except (OSError, EOFError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
        report("fresh", began, error=type(error).__name__)
    finally:
        if writer:
            writer.close()


async def kept_alive(url):
    writer = None
    while True:
        began = time.time()
        try:
            async with asyncio.timeout(LIMIT):
                if writer is not None and reader.at_eof():  # closed while idle: nothing was lost
                    report("reopened", began)
                    writer.close()
                    writer = None
                if writer is None:
                    reader, writer = await asyncio.open_connection(url.hostname, url.port)
                writer.write(request(url, "keep-alive"))
                status, headers = await read_answer(reader)
            report("kept", began, status, headers.get("x-release"))
            if headers.get("connection", "").lower() == "close":
                writer.close()
                writer = None
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            report("kept", began, error=type(error).__name__)
            if writer:
                writer.close()
            writer = None
        await asyncio.sleep(0.2)


async def main():
    url = urllib.parse.urlsplit(sys.argv[1])
    rate = float(sys.argv[2])
    tasks = {asyncio.create_task(kept_alive(url)) for _ in range(int(sys.argv[3]))}
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = set()
    due = time.monotonic()
    while not stop.is_set():
        task = asyncio.create_task(one(url))
        running.add(task)
        task.add_done_callback(running.discard)
        # What could not be sent in time is not made up for: a machine that stood still must not be met by a burst of users.
        due = max(due + 1 / rate, time.monotonic() - 1 / rate)
        await asyncio.sleep(max(0, due - time.monotonic()))
    for task in tasks:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=LIMIT)  # what users have begun is counted to its end


if __name__ == "__main__":
    asyncio.run(main())
