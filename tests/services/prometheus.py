"""Prometheus and Alertmanager of Debian, something for them to scrape, and nginx before them."""

import http.server
import json
import os
import signal
import struct
import threading
import urllib.error
import urllib.parse
import urllib.request

from processes import free_port, program, wait_until
from service import Service, answers


class Scraped:
    """`with Scraped(text) as target:` is a target whose metrics are `target.text`, or an error while `target.sick`."""

    def __init__(self, text="it_is 1\n"):
        self.text, self.sick, self.kind = text, False, "text/plain; version=0.0.4"

    def __enter__(self):
        target = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = target.text if isinstance(target.text, bytes) else target.text.encode()
                self.send_response(500 if target.sick else 200)
                self.send_header("Content-Type", target.kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Answer)
        self.server.handle_error = lambda *unused: None  # a scraper that has hung up
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def native_histogram(name):
    """A histogram without classic buckets, in the protobuf form that alone has it (prometheus/client_model, metrics.proto)."""

    def varint(n):
        return bytes([n]) if n < 0x80 else bytes([n & 0x7F | 0x80]) + varint(n >> 7)

    def field(number, value):
        if isinstance(value, float):
            return varint(number << 3 | 1) + struct.pack("<d", value)
        if isinstance(value, bytes):
            return varint(number << 3 | 2) + varint(len(value)) + value
        return varint(number << 3) + varint(value)

    span = field(1, 0) + field(2, 1)
    histogram = field(1, 3) + field(2, 4.5) + field(5, 0) + field(6, 0.001) + field(7, 0) + field(12, span) + field(13, 6)  # 6: zigzag of 3
    family = field(1, name.encode()) + field(2, b"of the test") + field(3, 4) + field(4, field(7, histogram))
    return varint(len(family)) + family


class Prometheus(Service):
    """Scrapes and evaluates each second. `jobs`: name → addresses, or (addresses, more of the job's keys); `rules`: the rules of one group."""

    user, password = "watcher", "prometheus-hunter2"
    hashed = "$2b$04$vLzsZp654gKR/N7sRCFwSOCLxTF0f11PpV0iDxk1LumhFxaOkM0O."  # bcrypt of the password

    def __init__(self, folder, jobs=None, rules="", more="", web="", prefix="", flags=()):
        super().__init__(folder)
        self.jobs, self.rules, self.more, self.web, self.prefix, self.flags = jobs or {}, rules, more, web, prefix, flags
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}{prefix}"
        self.server = None

    def write(self):
        text = f"global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: ['{self.path('rules.yml')}']\n{self.more}\nscrape_configs:\n"
        for name, job in self.jobs.items():
            addresses, keys = job if isinstance(job, tuple) else (job, "")
            text += f"- {{job_name: '{name}', static_configs: [{{targets: {json.dumps(addresses)}}}]{', ' + keys if keys else ''}}}\n"
        for name, content in (("prometheus.yml", text), ("rules.yml", self.rules or "groups: []"), ("web.yml", self.web)):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(content)

    def start(self, wait=True):
        self.write()
        flags = ["--web.config.file=" + self.path("web.yml")] if self.web else []
        flags += [f"--web.external-url={self.url}"] if self.prefix else []
        self.server = self.child("prometheus", [program("prometheus"), "--config.file=" + self.path("prometheus.yml"), "--storage.tsdb.path=" + self.path("data"),
                                                f"--web.listen-address={self.address}", "--web.enable-lifecycle", "--log.level=warn", *flags, *self.flags])
        if wait:
            wait_until("Prometheus", self.is_ready, 60, self.server)

    def is_ready(self):
        if "tls_server_config" in self.web:
            return answers(self.url + "/-/ready", 400)  # to plain HTTP
        return answers(self.url + "/-/ready", 401 if "basic_auth_users" in self.web else 200)

    def stop_server(self, number=signal.SIGTERM):
        self.server.signal(number)
        self.server.stop(patience=20)
        self.children.remove(self.server)

    def reload(self):
        """Status of a reload of the files as they are now."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + "/-/reload", method="POST"), timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, promql):
        return self.get("/api/v1/query?query=" + urllib.parse.quote(promql))["result"]

    def settled(self):
        """It knows its targets (of which it hears only every five seconds) and has scraped them, and has evaluated its rules, where that is done each second."""
        self.has("targets", self._knows_its_targets)
        self.has("rules", lambda: all(r["health"] != "unknown" for g in self.get("/api/v1/rules")["groups"] if g["interval"] == 1 for r in g["rules"]))
        return self

    def _knows_its_targets(self):
        targets = self.get("/api/v1/targets?state=active")["activeTargets"]
        wanted = sum(len(job[0] if isinstance(job, tuple) else job) for job in self.jobs.values())
        return len(targets) == wanted and all(t["health"] != "unknown" for t in targets if t["scrapeInterval"] == "1s")

    def has(self, what, condition, seconds=30):
        return wait_until(what, condition, seconds, self.server)


class Alertmanager(Service):
    def start(self):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        with open(self.path("alertmanager.yml"), "w", encoding="utf-8") as file:
            file.write("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        self.server = self.child("alertmanager", [program("prometheus-alertmanager"), "--config.file=" + self.path("alertmanager.yml"), "--storage.path=" + self.path("data"),
                                                  f"--web.listen-address={self.address}", "--cluster.listen-address=", "--log.level=warn"])
        wait_until("Alertmanager", lambda: answers(self.url + "/-/ready"), 30, self.server)


class Gate(Service):
    """nginx before a server: a password for everything, and one path that nobody may ask for."""

    user, password = "watcher", "gate-hunter2"

    def __init__(self, folder, upstream, forbidden):
        super().__init__(folder)
        self.upstream, self.forbidden = upstream, forbidden
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        with open(self.path("passwords"), "w", encoding="utf-8") as file:
            file.write(f"{self.user}:{{PLAIN}}{self.password}\n")
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("passwords"), 0o644)
        temporary = "".join(f"{name}_temp_path {self.path(name)};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(f"""daemon off; worker_processes 1; pid {self.path('pid')}; error_log {self.path('error.log')};
user root;
events {{ worker_connections 64; }}
http {{
access_log off;
{temporary}
server {{
  listen 127.0.0.1:{self.port};
  auth_basic "metrics"; auth_basic_user_file {self.path('passwords')};
  location / {{ proxy_pass http://{self.upstream}; }}
  location {self.forbidden} {{ deny all; }}
}} }}
""")
        self.server = self.child("nginx", [program("nginx"), "-p", self.folder, "-e", self.path("error.log"), "-c", self.path("nginx.conf")])
        wait_until("nginx", lambda: answers(self.url + "/", 401), 15, self.server)
