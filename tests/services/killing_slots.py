"""Two slots as small as they can be, in one process: each says which release it is, and is as ill as it was told to be.

usage: killing_slots.py PORT PORT

GET /be/RELEASE/FAULT sets what the slot of that port is from then on; FAULT is well, work (its work fails) or health (all of it fails).
"""

import asyncio
import json
import sys


class Slot(asyncio.Protocol):
    """One connection; `what` is shared by all of a slot."""

    def __init__(self, what):
        self.what = what
        self.read = b""
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.read += data
        while b"\r\n\r\n" in self.read:
            head, _, self.read = self.read.partition(b"\r\n\r\n")
            self.answer(head)

    def answer(self, head):
        path = head.split(b" ", 2)[1].decode().partition("?")[0]
        if path.startswith("/be/"):
            self.what["release"], self.what["fault"] = path.split("/")[2:]
        fails = self.what["fault"] == "health" or (self.what["fault"] == "work" and path.startswith("/work"))
        status = b"500 Internal Server Error" if fails and not path.startswith("/be/") else b"200 OK"
        body = json.dumps({"status": "healthy", "version": self.what["release"]}).encode()
        ends = b"connection: close" in head.lower() or b"HTTP/1.0" in head
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: " + str(len(body)).encode() +
                             (b"\r\nConnection: close" if ends else b"") + b"\r\n\r\n" + body)
        if ends:
            self.transport.close()


async def main():
    loop = asyncio.get_running_loop()
    for port in sys.argv[1:]:
        what = {"release": "v0", "fault": "well"}
        await loop.create_server(lambda what=what: Slot(what), "127.0.0.1", int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
