"""An issuer of tokens that a test may have wrong in any way: discovery document, key set, token endpoint, over HTTP or HTTPS."""

import base64
import json
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def base64url(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


class Key:
    """An RSA key, made by OpenSSL."""

    def __init__(self, folder, kid):
        self.kid, self.path = kid, str(folder / f"{kid}.key")
        subprocess.run(["openssl", "genrsa", "-out", self.path, "2048"], check=True, capture_output=True)

    def public(self):
        said = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        return {"kid": self.kid, "kty": "RSA", "alg": "RS256", "use": "sig", "n": base64url(bytes.fromhex(re.search("=([0-9A-F]+)", said).group(1))), "e": "AQAB"}

    def sign(self, text):
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True, capture_output=True).stdout

    def token(self, claims, **header):
        text = base64url({"alg": "RS256", "typ": "JWT", "kid": self.kid, **header}) + "." + base64url(claims)
        return text + "." + base64url(self.sign(text))


class Issuer:
    """`with Issuer(key) as issuer:`. What it answers are attributes: `document` adds to or changes the discovery document, `keys` are the
    published ones, `answer_token()` gives the status and the body of the token endpoint."""

    client, secret = "flipback", "issuer-hunter2"

    def __init__(self, key, tls=None):
        self.signer, self.keys, self.document, self.tls = key, [key.public()], {}, tls
        self.asked = []  # (path, headers, body) of each request
        self.rotate_to = None
        self.token = None

    def __enter__(self):
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(*issuer.get(self.path, self.headers))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                issuer.asked.append((self.path, dict(self.headers), body))
                self.reply(*issuer.answer_token())

            def reply(self, status, body):
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *unused):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def base(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def name(self):
        return self.base + "/realms/main"

    def claims(self, **changed):
        now = time.time()
        claims = {"iss": self.name, "aud": ["account", "api"], "exp": now + 300, "iat": now, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def get(self, path, headers):
        self.asked.append((path, dict(headers), ""))
        if path == "/realms/main/.well-known/openid-configuration":
            return 200, {"issuer": self.name, "jwks_uri": self.base + "/certs", "token_endpoint": self.base + "/token",
                         "id_token_signing_alg_values_supported": ["RS256"], **self.document}
        if path == "/certs":
            keys, self.keys = self.keys, self.rotate_to or self.keys
            return 200, {"keys": keys}
        return 404, {"error": "no such thing"}

    def answer_token(self):
        token = self.token if self.token is not None else self.signer.token(self.claims())
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 300}

    def requests(self, path):
        return [one for one in self.asked if one[0] == path]
