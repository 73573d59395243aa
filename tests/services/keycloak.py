"""Keycloak as it runs in production: built for PostgreSQL, on a PostgreSQL of its own that a test may stop."""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

from neo4j import java
from postgres import Postgres
from processes import free_port, program, wait_until
from service import SERVERS, Service, answers, fetched

REALM = {
    "realm": "main", "enabled": True, "accessTokenLifespan": 300,
    "clients": [
        {"clientId": "flipback", "enabled": True, "secret": "flipback-hunter2", "serviceAccountsEnabled": True, "standardFlowEnabled": False,
         "protocolMappers": [{"name": "api", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
                              "config": {"included.custom.audience": "api", "access.token.claim": "true", "id.token.claim": "false"}}]},
        {"clientId": "an:odd client", "enabled": True, "secret": "s/hunter2 c:r+e%&=t\u00fc", "serviceAccountsEnabled": True, "standardFlowEnabled": False},
        {"clientId": "no-service-account", "enabled": True, "secret": "flipback-hunter2", "serviceAccountsEnabled": False},
    ],
}
ADMIN = {"KC_BOOTSTRAP_ADMIN_USERNAME": "admin", "KC_BOOTSTRAP_ADMIN_PASSWORD": "admin"}
BUILD = ["--db=postgres", "--health-enabled=true", "--metrics-enabled=true"]


def _sql(database, name, *words):
    """What psql or pg_dump gives."""
    return subprocess.run([program(name), "-d", database.where(), *words], check=True, capture_output=True).stdout


def _environment():
    return dict(os.environ, JAVA_HOME=os.path.dirname(os.path.dirname(java())), JAVA_OPTS_KC_HEAP="-Xms64m -Xmx384m",
                JAVA_OPTS_APPEND="-XX:TieredStopAtLevel=1", **ADMIN)  # the first compiler alone: a third less work until it is ready


def _copy_home(source, home):
    """Keycloak writes only into data/; lib/ is changed by a build alone."""
    for name in ("bin", "conf", "providers", "themes"):
        shutil.copytree(os.path.join(source, name), os.path.join(home, name))
    shutil.copy(os.path.join(source, "version.txt"), home)
    os.makedirs(os.path.join(home, "data", "import"))


@functools.cache
def template():
    """The server built, with its database as it is once the realm is imported: made once, beside the fetched server, whole or not at all.
    A start from it takes a quarter of the time of a first one."""
    made = os.path.join(SERVERS, "keycloak-template")
    if os.path.exists(made):
        return made
    with tempfile.TemporaryDirectory(dir=SERVERS, prefix=".keycloak-template.") as making:
        home = os.path.join(making, "home")
        _copy_home(fetched("keycloak"), home)
        shutil.copytree(os.path.join(fetched("keycloak"), "lib"), os.path.join(home, "lib"))
        done = subprocess.run([os.path.join(home, "bin", "kc.sh"), "build", *BUILD], env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"Keycloak's build ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
        with Keycloak(os.path.join(making, "first"), built=home) as first:
            dump = _sql(first.database, "pg_dump", "--no-owner")
        shutil.rmtree(os.path.join(home, "data"))
        with open(os.path.join(home, "database.sql"), "wb") as file:
            file.write(dump)
        with contextlib.suppress(OSError):  # somebody else was first
            os.rename(home, made)
    return made


class Keycloak(Service):
    client, secret = "flipback", REALM["clients"][0]["secret"]

    def __init__(self, folder, built=None):
        """`built`: a home that is built but has no database yet; without it, the template's."""
        super().__init__(folder)
        self.built = built
        self.port, self.management = free_port(), free_port()
        self.database = Postgres()
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def health(self):
        return f"http://127.0.0.1:{self.management}/health/ready"

    def issuer(self, realm="main"):
        return f"{self.url}/realms/{realm}"

    def start(self):
        home = self.path("home")
        source = self.built or template()
        self.database.__enter__()
        if not os.path.exists(home):
            _copy_home(source, home)
            os.symlink(os.path.join(source, "lib"), os.path.join(home, "lib"))
            dump = os.path.join(source, "database.sql")
            if os.path.exists(dump):
                _sql(self.database, "psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-f", dump)
            with open(os.path.join(home, "data", "import", "realm.json"), "w", encoding="utf-8") as file:
                json.dump(REALM, file)
        self.server = self.child("keycloak", [
            os.path.join(home, "bin", "kc.sh"), "start", "--optimized", "--import-realm", "--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={self.port}",
            f"--http-management-port={self.management}", "--hostname-strict=false", "--cache=local",
            f"--db-url=jdbc:postgresql://127.0.0.1:{self.database.port}/postgres", "--db-username=postgres", f"--db-password={self.database.password}"], env=_environment())
        wait_until("Keycloak", lambda: answers(self.health), 600, self.server)

    def stop(self):
        super().stop()
        self.database.__exit__()

    def ask(self, method, path, headers=None, form=None, document=None):
        """Status and JSON (or nothing) of an answer."""
        headers, data = dict(headers or {}), None
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        if document is not None:
            data, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers, method=method), timeout=120) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def admin(self, method, path, document=None):
        """A call of the admin API that must succeed; its JSON."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        token = self.ask("POST", "/realms/master/protocol/openid-connect/token", form=form)[1]["access_token"]
        status, answer = self.ask(method, f"/admin/realms{path}", {"Authorization": f"Bearer {token}"}, document=document)
        if status // 100 != 2:
            raise RuntimeError(f"{method} {path} answered {status}: {answer}")
        return answer

    def signing_keys(self, realm="main"):
        """The ids of the published keys for signatures."""
        return {key["kid"] for key in self.ask("GET", f"/realms/{realm}/protocol/openid-connect/certs")[1]["keys"] if key["use"] == "sig"}

    def key_providers(self, realm="main"):
        """The providers of RSA keys for signatures."""
        all_of_them = self.admin("GET", f"/{realm}/components?type=org.keycloak.keys.KeyProvider")
        return [one for one in all_of_them if one["providerId"] == "rsa-generated"]

    def add_key(self, priority, realm="main", algorithm="RS256", provider="rsa-generated", more=None):
        """A new key that signs from now on, where its priority is the highest."""
        self.admin("POST", f"/{realm}/components", {
            "name": f"{algorithm}-{priority}", "parentId": self.admin("GET", f"/{realm}")["id"], "providerId": provider, "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": [str(priority)], "enabled": ["true"], "active": ["true"], **({"algorithm": [algorithm]} if provider == "rsa-generated" else {}), **(more or {})}})

    def change(self, realm="main", **fields):
        self.admin("PUT", f"/{realm}", fields)
