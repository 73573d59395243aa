"""A client of the agent's HTTP API, which can also say what no client should."""

import contextlib
import http.client
import json
import socket

TOKEN = "a-token-that-nobody-guesses-0123456789"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        """Of a problem, which it must be."""
        assert self.headers["Content-Type"] == "application/problem+json" and self.json["status"] == self.status, (self.status, self.body)
        return self.json["detail"]


class Client:
    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None, headers=(), host=None):
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
            for name, value in dict(headers).items():
                connection.putheader(name, value)
            payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            if payload is not None:
                connection.putheader("Content-Length", str(len(payload)))
            connection.endheaders(payload)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())

    def get(self, path, **headers):
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path, body=None, **headers):
        """As whoever has the token asks for a change."""
        named = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", path, {} if body is None else body, {name: value for name, value in named.items() if value is not None})

    def say(self, data, seconds=5):
        """Bytes as they are, and what comes until the other side hangs up."""
        came = b""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as peer:
            peer.settimeout(seconds)
            with contextlib.suppress(OSError):
                peer.sendall(data)
                while part := peer.recv(65536):
                    came += part
        return came

    def events(self, seconds=20, more="", host=None):
        """Server-sent events: (name, data) each, until this is closed."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as peer:
            peer.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {host or f'127.0.0.1:{self.port}'}\r\n{more}\r\n".encode())
            lines = peer.makefile("r", encoding="utf-8", newline="\n")
            status = lines.readline()
            assert " 200 " in status, status
            while lines.readline().strip():
                pass
            name = ""
            for line in lines:  # through a proxy there are lines that say how long the next piece is
                if line.startswith("event: "):
                    name = line[7:-1]
                elif line.startswith("data: "):
                    yield name, json.loads(line[6:])
