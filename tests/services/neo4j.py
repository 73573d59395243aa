"""Neo4j, community edition, from its jars: HTTP and Bolt, with or without TLS."""

import base64
import json
import os
import urllib.error
import urllib.request

from processes import free_port, program, wait_until
from service import Service, answers, fetched, wait_for_port

JAVA = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8",
        *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.nio", "java.io", "sun.nio.ch"))]


def java():
    """Neo4j 5 wants Java 17 or 21; Debian has 17, whatever else is first on PATH."""
    debian = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
    return debian if os.path.exists(debian) else program("java")


class Neo4j(Service):
    password = "neo4j-hunter2"

    def __init__(self, folder, certificate=None, initial_password=True):
        """`certificate`: (key, certificate) in PEM, for HTTPS and Bolt over TLS. Without an initial password it is "neo4j", to be changed."""
        super().__init__(folder)
        self.certificate = certificate
        self.initial_password = initial_password
        self.http, self.bolt = free_port(), free_port()
        self.server = None

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.http}"

    def prepare(self):
        for name in ("conf", "data/dbms", "logs", "import", "plugins", "licenses"):
            os.makedirs(self.path(name), exist_ok=True)
        with open(self.path("conf", "neo4j.conf"), "w", encoding="utf-8") as file:
            file.write(self._conf())
        with open(self.path("conf", "server-logs.xml"), "w", encoding="utf-8") as file:
            file.write('<Configuration status="ERROR"><Appenders><Console name="C" target="SYSTEM_OUT"><PatternLayout pattern="%d %p %m%n"/></Console></Appenders>'
                       '<Loggers><Root level="INFO"><AppenderRef ref="C"/></Root></Loggers></Configuration>')
        if self.initial_password:
            self.finish("password", [java(), *JAVA, "-cp", fetched("neo4j") + "/*", "org.neo4j.cli.AdminTool", "dbms", "set-initial-password", self.password],
                        env=dict(os.environ, NEO4J_HOME=self.folder, NEO4J_CONF=self.path("conf")))

    def _conf(self):
        port = f"server.{'https' if self.certificate else 'http'}"
        text = f"""server.default_listen_address=127.0.0.1
server.http.enabled={'false' if self.certificate else 'true'}
server.https.enabled={'true' if self.certificate else 'false'}
{port}.listen_address=:{self.http}
{port}.advertised_address=127.0.0.1:{self.http}
server.bolt.listen_address=:{self.bolt}
server.bolt.advertised_address=127.0.0.1:{self.bolt}
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.pagecache.size=32m
db.tx_log.preallocate=false
internal.server.bolt.thread_pool_shutdown_wait_time=1s
internal.server.bolt.connection_shutdown_wait_time=1s
"""
        if self.certificate:
            for kind in ("https", "bolt"):
                for name, source in zip(("private.key", "public.crt"), self.certificate):
                    os.makedirs(self.path("certificates", kind), exist_ok=True)
                    with open(source, "rb") as whole, open(self.path("certificates", kind, name), "wb") as copy:
                        copy.write(whole.read())
                text += f"dbms.ssl.policy.{kind}.enabled=true\ndbms.ssl.policy.{kind}.base_directory={self.path('certificates', kind)}\n"
                text += f"dbms.ssl.policy.{kind}.client_auth=NONE\n"
            text += "server.bolt.tls_level=REQUIRED\n"
        return text

    def start(self, wait=True):
        if not os.path.exists(self.path("conf")):
            self.prepare()
        self.server = self.child("neo4j", [java(), *JAVA, "-cp", fetched("neo4j") + "/*", "org.neo4j.server.CommunityEntryPoint",
                                           f"--home-dir={self.folder}", f"--config-dir={self.path('conf')}"])
        if wait and self.certificate:
            wait_for_port(self.http, self.server, 90)  # opened last
        elif wait:
            wait_until("Neo4j", lambda: answers(self.url + "/"), 90, self.server)

    def stop_server(self):
        self.server.stop(patience=20)
        self.children.remove(self.server)

    def run(self, statement, database="neo4j", user="neo4j", password=None):
        """Status and JSON of a statement by the older API."""
        login = base64.b64encode(f"{user}:{password or self.password}".encode()).decode()
        ask = urllib.request.Request(f"{self.url}/db/{database}/tx/commit", json.dumps({"statements": [{"statement": statement}]}).encode(),
                                     {"Authorization": f"Basic {login}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(ask, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")
