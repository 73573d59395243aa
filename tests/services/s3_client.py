"""A small S3 client for the tests: Signature Version 4 as AWS describes it, written apart from the one under test."""

import datetime
import hashlib
import hmac
import http.client
import urllib.parse
import xml.etree.ElementTree as tree


def sign(method, host, path, query, headers, body, access, secret, service="s3", region="us-east-1", token=""):
    """All headers of a signed request."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    payload = hashlib.sha256(body).hexdigest()
    headers = {**headers, "host": host, "x-amz-date": now, "x-amz-content-sha256": payload, **({"x-amz-security-token": token} if token else {})}
    names = sorted(headers)
    canonical = "\n".join([method, path, query, *(f"{name}:{headers[name]}" for name in names), "", ";".join(names), payload])
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for word in (now[:8], region, service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"}


class S3Client:
    """One connection; answers are (status, body)."""

    def __init__(self, host, access, secret):
        self.host, self.access, self.secret = host, access, secret
        self.connection = http.client.HTTPConnection(host, timeout=30)

    def ask(self, method, path, query=None, body=b"", service="s3", headers=None):
        path = urllib.parse.quote(path, safe="/-._~")
        query = "&".join(f"{urllib.parse.quote(k, safe='-._~')}={urllib.parse.quote(v, safe='-._~')}" for k, v in sorted((query or {}).items()))
        signed = sign(method, self.host, path, query, headers or {}, body, self.access, self.secret, service)
        try:
            self.connection.request(method, path + ("?" + query if query else ""), body, signed)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise

    def done(self, *how, **more):
        status, body = self.ask(*how, **more)
        assert status in (200, 204), (how[:2], status, body)
        return body

    def keys(self, bucket, **query):
        found = tree.fromstring(self.done("GET", f"/{bucket}", {"list-type": "2", **query}))
        return [e.text for e in found.iter() if e.tag.endswith("}Key")]
