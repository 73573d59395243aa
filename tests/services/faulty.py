"""Servers that do everything wrong, each in one way: a connection is answered by one fault and closed."""

import base64
import contextlib
import gzip
import json
import socket
import struct
import threading
import time


def read_request(client):
    """An HTTP request, whole, as it came; empty where the client hung up."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = client.recv(65536)
        if not part:
            return b""
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        part = client.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def answer(body, status="200 OK", kind="application/json", length=None):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def hung(client, _request, ended):
    ended.wait(30)


def slow(client, _request, ended):
    client.sendall(answer(b"", length=100000))
    while not ended.wait(0.05):
        client.sendall(b" ")


def silent(client, _request, _ended):
    pass


def heard(client, _request, _ended):
    """Hangs up on the first that the client says: so does a TCP balancer whose backend is down."""
    client.recv(65536)


def heard_for_tls(client, _request, ended):
    """The same in a Postgres that was asked for TLS and has agreed."""
    heard(client, _request, ended)
    client.sendall(b"S")
    heard(client, _request, ended)


def reset(client, _request, _ended):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(client, _request, _ended):
    client.sendall(answer(b'{"status": "heal', length=1000))


def html(client, _request, _ended):
    client.sendall(answer(b"<!DOCTYPE html><html><body><h1>It works!</h1></body></html>", kind="text/html"))


def truncated(client, _request, _ended):
    """Whole as HTTP, cut short as JSON."""
    client.sendall(answer(b'{"status": "success", "data": {"activeTargets": [{"labels": {"jo'))


def huge(client, _request, _ended):
    """40 MB, as fast as they are taken: more than any probe's bound."""
    size = 40 * 1024 * 1024
    client.sendall(answer(b'{"a": "', length=size))
    for _ in range(size // 65536):
        client.sendall(b"x" * 65536)


def not_utf8(client, _request, _ended):
    client.sendall(answer(b'{"status": "\xff\xfe\xc3(", "keys": ["\xed\xa0\x80"]}'))


def deep(client, _request, _ended):
    client.sendall(answer(b'{"data":' * 50000))


def zipped(client, _request, _ended):
    """Compressed, though nobody asked for it: so do some proxies."""
    body = gzip.compress(b'{"status": "healthy", "keys": []}')
    client.sendall(answer(body).replace(b"Content-Length", b"Content-Encoding: gzip\r\nContent-Length"))


def garbage(client, _request, _ended):
    client.sendall(bytes(range(256)) * 20)


def no_status(client, _request, _ended):
    client.sendall(answer(b'{"detail": "no such thing"}', status="404 Not Found"))


def own_error(client, _request, _ended):
    client.sendall(answer(b"Internal Server Error", status="500 Internal Server Error", kind="text/plain"))


def limited(client, _request, _ended):
    client.sendall(answer(b'{"error": "slow down"}', status="429 Too Many Requests"))


def moved(client, _request, _ended):
    client.sendall(b"HTTP/1.1 302 Found\r\nLocation: https://sso.test/login?token=hunter2-moved\r\nContent-Length: 0\r\n\r\n")


def echo(status):
    """Repeats all that it was sent, wherever a service of the stack puts its words."""

    def fault(client, request, _ended):
        said = request.decode("latin-1")
        body = {"message": said, "error": said, "detail": said, "status": "error", "errorType": said, "title": said, "code": said,
                "errors": [{"code": "Neo.ClientError.Security.Unauthorized", "message": said}], "error_description": said}
        client.sendall(answer(json.dumps(body).encode(), status=status))

    return fault


def led_away(before):
    """Redirects to an address that repeats all that it was sent, as it was and as it was meant, after so many bytes of its own."""

    def fault(client, request, _ended):
        head, _, body = request.decode("latin-1").partition("\r\n\r\n")
        words = [line.partition(": ")[2] for line in head.split("\r\n")[1:]]
        for word in list(words):
            with contextlib.suppress(ValueError, UnicodeDecodeError):
                words.append(base64.b64decode(word.removeprefix("Basic "), validate=True).decode())
        words += [base64.b64encode(word.encode("latin-1")).decode() for word in words] + [body.replace("\n", "")]
        said = "/".join(sorted((word.replace(" ", "/").replace("?", "").replace("#", "") for word in words), key=lambda w: "hunter" not in w))
        client.sendall(f"HTTP/1.1 302 Found\r\nLocation: /{'x' * before}/{said}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))

    return fault


class Faulty:
    """`with Faulty(fault) as port:`. `tls` is an ssl.SSLContext; without `http`, the fault begins as soon as the client is there."""

    def __init__(self, fault, tls=None, http=True):
        self.fault, self.tls, self.http = fault, tls, http
        self.ended = threading.Event()
        self.threads = []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.acceptor = threading.Thread(target=self._accept)
        self.acceptor.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.acceptor.join()
        self.listener.close()
        for thread in self.threads:
            thread.join(5)

    def _accept(self):
        self.listener.settimeout(0.1)
        while not self.ended.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                continue
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            thread.start()
            self.threads = [t for t in self.threads if t.is_alive()] + [thread]

    def _serve(self, client):
        with contextlib.suppress(OSError, ValueError), client:
            client.settimeout(10)
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            with client:
                request = read_request(client) if self.http else b""
                if request or not self.http:
                    self.fault(client, request, self.ended)
                time.sleep(0.01)  # what was sent goes before the end of the connection
