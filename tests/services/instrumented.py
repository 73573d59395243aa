"""A FastAPI that counts its requests with prometheus-fastapi-instrumentator or starlette_exporter."""

import concurrent.futures
import os

from processes import free_port, wait_until
from service import Service, fetched
from stack import get


class Instrumented(Service):
    def __init__(self, folder, library, workers=1, **environment):
        super().__init__(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers = workers
        self.env = dict(os.environ, LIBRARY=library, PYTHONDONTWRITEBYTECODE="1", **environment)
        self.env.pop("PYTHONPATH", None)

    def start(self):
        self.server = self.child("api", [fetched("fastapi") + "/bin/python", "-m", "uvicorn", "--app-dir", os.path.dirname(os.path.abspath(__file__)),
                                         "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers), "--log-level", "critical",
                                         "instrumented_app:app"], env=self.env)
        wait_until("the API", lambda: get(self.url + "/health")[0] == 200, 60, self.server)

    def restart(self):
        self.server.stop()
        self.children.remove(self.server)
        self.start()

    def ask(self, path, times=1):
        """So many users at once, eight at a time."""
        with concurrent.futures.ThreadPoolExecutor(8) as users:
            list(users.map(lambda _: get(self.url + path, timeout=30), range(times)))
