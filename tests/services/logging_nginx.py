"""A real nginx in front of two slots, that logs each request in every format at once: to files, and to a syslog socket."""

import http.client
import http.server
import os
import signal
import socket
import tempfile
import threading
import time

from processes import free_port, program, wait_until
from service import Service, wait_for_port

FLIPBACK_CONF = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "packaging", "nginx", "flipback-log.conf"))

# Formats beside the recommended one, as they stand in nginx's configuration.
FORMATS = {
    "main": """log_format main '$remote_addr - $remote_user [$time_iso8601] "$request" $status $body_bytes_sent "$http_user_agent" $request_time';""",
    "lists": """log_format lists '$msec|$status|$upstream_addr|$upstream_status|$upstream_header_time|$upstream_response_time|$request_time|'
                       '"$request_method $host" "$request_uri" "$http_user_agent"';""",
    "spaced": """log_format spaced '[$time_local] $status $upstream_addr $upstream_status $upstream_response_time $request_time "$uri" "$http_user_agent"';""",
    "timed": """log_format timed '$remote_addr [$time_iso8601] "$request" $status "$http_user_agent" $request_time $upstream_response_time';""",
    "json": """log_format json escape=json '{"at":"$time_iso8601","ua":"$http_user_agent","to":"$upstream_addr","said":"$upstream_status",'
                       '"first":"$upstream_header_time","in":$request_time,"code":$status,"what":"$request"}';""",
}

# Formats as they are found in other people's configurations. $proxy_upstream_name, $the_real_ip and $req_id are ingress-nginx's own.
FOREIGN = {
    "vhost": """log_format vhost '$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';""",
    "named": """log_format named '$http_host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';""",
    "times": """log_format times '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
                'rt=$request_time uct="$upstream_connect_time" uht="$upstream_header_time" urt="$upstream_response_time"';""",
    "ingress": """log_format ingress '$the_real_ip - [$the_real_ip] - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
                  '"$http_user_agent" $request_length $request_time [$proxy_upstream_name] $upstream_addr $upstream_response_length '
                  '$upstream_response_time $upstream_status $req_id';""",
    "posts": """log_format posts '[$time_local] $http_host $remote_addr "$request" $status "$http_referer" "$http_user_agent" "$http_cookie" $request_time '
                '$upstream_cache_status $bytes_sent "$upstream_addr" "$upstream_status" "$upstream_response_time" "$request_body"';""",
    "ltsv": r"""log_format ltsv "time:$time_local\thost:$remote_addr\tmethod:$request_method\turi:$request_uri\tprotocol:$server_protocol\tstatus:$status"
                "\tsize:$body_bytes_sent\treferer:$http_referer\tua:$http_user_agent\treqtime:$request_time\tapptime:$upstream_response_time";""",
    "bare": """log_format bare '[$time_local] $remote_addr $status $upstream_addr $request_uri $http_user_agent';""",
    "via": """log_format via '$remote_addr - - [$time_local] "$request" status $status upstream $upstream_response_time request $request_time '
              '[for $host via $upstream_addr]';""",
    "glued": """log_format glued '$remote_addr "$request" $status $upstream_addr "$http_x_one$http_x_two" "$http_user_agent"';""",
    "unquoted": """log_format unquoted escape=json '{"time_date": "$time_iso8601", "client": "$remote_addr", "request_uri": "$request_uri", "tags": ["nginx"], '
                   '"agent": "$http_user_agent", "status": $status, "upstream_addr": "$upstream_addr", "upstream_status": $upstream_status, '
                   '"request_time": $request_time, "upstream_response_time": $upstream_response_time}';""",
}
INGRESS = """map $remote_addr $the_real_ip { default $remote_addr; }
map $remote_addr $proxy_upstream_name { default default-api-80; }
map $http_x_request_id $req_id { default $http_x_request_id; '' $request_id; }"""


class Slot(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802
        path = self.path.partition("?")[0]
        if path == "/hang":
            self.server.released.wait(10)
        status = {"/error": 500, "/missing": 404, "/limited": 429}.get(path, 200)
        self.send_response(status)
        if path == "/accel":
            self.send_header("X-Accel-Redirect", "/green/after")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *unused):
        pass


class LoggingNginx(Service):
    """`/blue/…` and `/green/…` go to a slot, `/named/…` to blue by a host's name, `/retry/…` to a dead one first, `/down/…` to dead ones alone, `/local` is nginx's own."""

    def __init__(self, more="", http=""):
        super().__init__(tempfile.mkdtemp(prefix="flipback-nginx-"))
        os.chmod(self.folder, 0o755)  # the workers are other users'
        self.more = more  # of the server
        self.http = http  # beside it
        self.ports = {name: free_port() for name in ("front", "dead")}
        self.slots = {}

    def start(self):
        for slot in ("blue", "green"):
            server = self.slots[slot] = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slot)
            server.daemon_threads = True
            server.released = threading.Event()
            self.ports[slot] = server.server_address[1]
            threading.Thread(target=server.serve_forever, daemon=True).start()
        with open(self.path("nginx.conf"), "w", encoding="utf-8") as file:
            file.write(self.configuration())
        self.nginx = self.child("nginx", [program("nginx"), "-p", self.folder, "-c", self.path("nginx.conf"), "-e", self.path("error.log")],
                                death_signal=signal.SIGTERM)
        wait_for_port(self.ports["front"], self.nginx)

    def stop(self):
        super().stop()
        for server in self.slots.values():
            server.released.set()
            server.shutdown()
            server.server_close()
        self.slots.clear()

    def configuration(self):
        temporary = "\n".join(f"{kind}_temp_path {self.folder};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        logs = "\n".join(f"access_log {self.log(name)} {name};" for name in ("flipback", "combined", *FORMATS))
        blue, green, dead = (f"127.0.0.1:{self.ports[name]}" for name in ("blue", "green", "dead"))
        user = "user www-data;" if os.getuid() == 0 else ""  # Debian's; nginx's own default is nobody
        return f"""{user} daemon off; pid {self.path('pid')}; error_log {self.path('error.log')} warn; worker_processes 2;
events {{ worker_connections 256; }}
http {{
  {temporary}
  include {FLIPBACK_CONF};
  {" ".join(FORMATS.values())}
  {self.http}
  upstream retried {{ server {dead} max_fails=0; server {green} backup; }}
  upstream gone {{ server {dead} max_fails=1 fail_timeout=60s; server {dead} max_fails=1 fail_timeout=60s; }}
  server {{
    listen 127.0.0.1:{self.ports['front']};
    keepalive_requests 100000;
    {logs}
    {self.more.format(folder=self.folder, dead=dead, blue=blue)}
    location /blue/ {{ proxy_pass http://{blue}/; }}
    location /green/ {{ proxy_pass http://{green}/; }}
    location /named/ {{ proxy_pass http://localhost:{self.ports['blue']}/; }}
    location /retry/ {{ proxy_pass http://retried/; }}
    location /down/ {{ proxy_pass http://gone/; }}
    location = /health {{ proxy_pass http://{blue}/; }}
    location /local {{ return 301 /elsewhere; }}
  }}
}}
"""

    def log(self, name):
        return self.path(f"{name}.log")

    def get(self, *paths, agent="Mozilla/5.0 (X11; Linux)", pause=0):
        """The statuses of these requests, over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["front"], timeout=10)
        found = []
        for path in paths:
            connection.request("GET", path, headers={"User-Agent": agent})
            answer = connection.getresponse()
            answer.read()
            found.append(answer.status)
            time.sleep(pause)
        connection.close()
        return found

    def send(self, data, wait=0.0):
        """Bytes as they are, and how the answer begins; with `wait` hangs up after so many seconds without an answer."""
        with socket.create_connection(("127.0.0.1", self.ports["front"]), 10) as client:
            client.sendall(data)
            if wait:
                time.sleep(wait)
                return b""
            return client.recv(64)

    def lines(self, name):
        with open(self.log(name), encoding="utf-8") as file:
            return file.read().count("\n")

    def wait_lines(self, name, count):
        wait_until(f"{count} lines in {name}", lambda: self.lines(name) >= count, child=self.nginx)

    def reopen(self):
        self.nginx.signal(signal.SIGUSR1)

    def lost_by_syslog(self):
        with open(self.path("error.log"), encoding="utf-8") as file:
            return file.read().count("send() to syslog failed")
