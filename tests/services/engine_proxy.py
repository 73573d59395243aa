"""A proxy in front of a Docker Engine: what the documents say that has to pass does, and nothing else."""

import os
import re
import socket
import socketserver
import threading

REQUEST = re.compile(r"`(GET|POST) (/[^`]+)`")


def let_through(page):
    """The requests of the page's table, as (method, path) → what such a request looks like."""
    table = page.split("| request | for |", 1)[1].split("\n\n", 1)[0]
    return {found: re.compile(r"(?:/v1\.\d+)?" + re.sub(r"\b(?:NAME|ID)\b", r"[\\w.-]+", re.escape(found[1])) + ("" if "?" in found[1] else r"(?:\?.*)?"))
            for found in REQUEST.findall(table)}


class EngineProxy:
    """On a Unix socket, or a port of this host where the address is (host, port)."""

    def __init__(self, engine, address, page):
        self.patterns = let_through(page)
        self.passed = set()
        self.refused = []
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                proxy.pass_on(self, engine)

        kind = socketserver.ThreadingTCPServer if isinstance(address, tuple) else socketserver.ThreadingUnixStreamServer
        self.address = address if isinstance(address, tuple) else str(address)
        self.server = kind(self.address, Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        if not isinstance(self.address, tuple):
            os.chmod(self.address, 0o660)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def pass_on(self, client, engine):
        head = b""
        while not head.endswith(b"\r\n\r\n") and (line := client.rfile.readline()):
            head += line
        if not head:
            return
        method, path, _ = head.decode("latin-1").split(" ", 2)
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        body = client.rfile.read(int(length[1])) if length else b""
        known = [request for request, pattern in self.patterns.items() if request[0] == method and pattern.fullmatch(path)]
        if not known:
            self.refused.append((method, path))
            client.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        self.passed.add(known[0])
        with socket.socket(socket.AF_UNIX) as to:
            to.connect(engine)
            to.sendall(head + body)
            while part := to.recv(65536):
                client.wfile.write(part)
