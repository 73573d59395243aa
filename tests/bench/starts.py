"""From start to ready, and one `--check`."""

import http.server
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from measure import heading, median, row
from processes import free_port


def start(build, rounds):
    heading("Start to ready (goal: <= 20 ms)")
    folder = tempfile.mkdtemp(prefix="flipback-bench-")
    path = os.path.join(folder, "flipback.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'[agent]\nlisten = "127.0.0.1:{free_port()}"\nlog_level = "critical"\n')
        for i in range(20):
            file.write(f'[probes.t{i}]\ntype = "http"\nurl = "http://127.0.0.1:9/{i}"\n')
    took = []
    for _ in range(10 * rounds):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(os.path.join(folder, "notify"))
            began = time.monotonic()
            process = subprocess.Popen([f"{build}/flipback", "--config", path], env=dict(os.environ, NOTIFY_SOCKET=os.path.join(folder, "notify")))
            while not told.recv(1000).startswith(b"READY=1"):
                pass
            took.append(time.monotonic() - began)
            process.terminate()
            process.wait()
        os.unlink(os.path.join(folder, "notify"))
    row("flipback, 20 probes", f"{1000 * median(took):.1f} ms")
    shutil.rmtree(folder)


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers at once, but /slow after 300 ms."""

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(0.3)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *unused):
        pass


def check(build, rounds):
    heading("--check with five checks, one of which takes 300 ms (goal: wall <= 306 ms, CPU <= 8 ms)")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    folder = tempfile.mkdtemp(prefix="flipback-bench-")
    path = os.path.join(folder, "flipback.toml")
    paths = ["a", "b", "c", "d", "slow"]
    with open(path, "w", encoding="utf-8") as file:
        for name in paths:
            file.write(f'[probes.{name}]\ntype = "http"\nurl = "{url}/{name}"\n')
    shell = "; ".join(f"curl -fsS -o /dev/null {url}/{name}" for name in paths)
    row("", "wall", "CPU")
    for name, argv in (("flipback --check", [f"{build}/flipback", "--check", "--config", path]), ("curl in a shell, one by one", ["sh", "-c", shell])):
        walls, cpus = [], []
        for _ in range(7 * rounds):
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
            walls.append(time.monotonic() - began)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        row(name, f"{1000 * median(walls):.0f} ms", f"{1000 * median(cpus):.1f} ms")
    server.shutdown()
    shutil.rmtree(folder)
