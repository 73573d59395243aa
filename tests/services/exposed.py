"""A server whose metrics a test writes: what the Python client's libraries expose, without them."""

import http.server
import threading
import time

BOUNDS = ("0.1", "0.5", "1.0", "2.5", "+Inf")


def instrumented(ok, errors, slow=0, started=None):
    """What prometheus-fastapi-instrumentator would expose of so many requests; the slow ones took between 1 s and 2.5 s."""
    counts = [ok + errors - slow] * 3 + [ok + errors] * 2
    lines = ["# HELP http_requests_total Total number of requests by method, status and handler.", "# TYPE http_requests_total counter",
             f'http_requests_total{{handler="/api/v1/ping",method="GET",status="2xx"}} {ok:.1f}',
             f'http_requests_total{{handler="/api/v1/ping",method="GET",status="5xx"}} {errors:.1f}',
             'http_requests_total{handler="/health",method="GET",status="2xx"} 12345.0',
             "# TYPE http_request_duration_highr_seconds histogram"]
    lines += [f'http_request_duration_highr_seconds_bucket{{le="{bound}"}} {count:.1f}' for bound, count in zip(BOUNDS, counts)]
    if started:
        lines.append(f"process_start_time_seconds {started:.2f}")
    return "\n".join(lines) + "\n"


class Exposed:
    """`with Exposed(text) as server:`; `text` may be changed, and may be a function of how many scrapes there were."""

    def __init__(self, text, kind="text/plain; version=0.0.4; charset=utf-8"):
        self.text, self.kind, self.scrapes, self.accept = text, kind, 0, None

    def __enter__(self):
        exposed = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                exposed.accept = self.headers["Accept"]
                body = (exposed.text(exposed.scrapes) if callable(exposed.text) else exposed.text).encode()
                exposed.scrapes += 1
                self.send_response(200)
                self.send_header("Content-Type", exposed.kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *unused):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/metrics"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        self.started = time.time() - 3600
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
