"""MinIO: one drive or several, with or without TLS."""

import json
import os
import shutil
import ssl
import urllib.parse
import urllib.request
import xml.etree.ElementTree as tree

from processes import free_port, wait_until
from s3_client import S3Client
from service import Service, fetched


class Minio(Service):
    access, secret = "root-access", "hunter2-minio"

    def __init__(self, folder, drives=1, certificate=None):
        """`certificate`: (key, certificate) in PEM."""
        super().__init__(folder)
        self.certificate = certificate
        self.port = free_port()
        self.drives = [self.path(f"drive{i}") for i in range(drives)]
        self.server = None

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def client(self):
        return S3Client(f"127.0.0.1:{self.port}", self.access, self.secret)

    def start(self):
        for drive in self.drives:
            os.makedirs(drive, exist_ok=True)
        os.makedirs(self.path("certs"), exist_ok=True)
        if self.certificate:
            for source, name in zip(self.certificate, ("private.key", "public.crt")):
                shutil.copy(source, self.path("certs", name))
        environment = dict(os.environ, MINIO_ROOT_USER=self.access, MINIO_ROOT_PASSWORD=self.secret, MINIO_BROWSER="off", MINIO_UPDATE="off",
                           MINIO_CALLHOME_ENABLE="off", MINIO_CI_CD="1", HOME=self.folder)  # CI_CD: drives may share a disk
        self.server = self.child("minio", [os.path.join(fetched("minio"), "minio"), "server", "--quiet", "--address", f"127.0.0.1:{self.port}",
                                           "--certs-dir", self.path("certs"), *self.drives], env=environment)
        wait_until("MinIO", lambda: self.health("cluster") == 200, 60, self.server)

    def stop_server(self):
        self.server.stop(patience=10)
        self.children.remove(self.server)

    def health(self, of):
        unverified = ssl._create_unverified_context() if self.certificate else None
        try:
            with urllib.request.urlopen(f"{self.url}/minio/health/{of}", timeout=5, context=unverified) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def restricted(self, *statements):
        """Temporary credentials with these rights alone, by STS: the keys for a probe's table."""
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        asked = urllib.parse.urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "DurationSeconds": "900", "Policy": policy}).encode()
        answer = tree.fromstring(self.client.done("POST", "/", body=asked, service="sts", headers={"content-type": "application/x-www-form-urlencoded"}))
        found = {e.tag.split("}")[1]: e.text for e in answer.iter()}
        return (f'access_key = "{found["AccessKeyId"]}"\nsecret_key = "{found["SecretAccessKey"]}"\n'
                f'session_token = "{found["SessionToken"]}"\n')


def allow(*actions, on):
    return {"Effect": "Allow", "Action": [f"s3:{a}" for a in actions], "Resource": [f"arn:aws:s3:::{on}"]}
