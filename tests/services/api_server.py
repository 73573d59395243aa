"""An API of ours under uvicorn: api_app.py by Debian's FastAPI, or another one by another Python's."""

import os

from processes import free_port, wait_until
from service import Service, answers
from stack import PYTHON


class ApiServer(Service):
    user, password = "test@example.com", "hunter2-test123"

    def __init__(self, folder, app="api_app", python=PYTHON, **environment):
        super().__init__(folder)
        self.app, self.python, self.environment = app, python, environment
        self.port = free_port()
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", **self.environment)
        env.pop("PYTHONPATH", None)
        here = os.path.dirname(os.path.abspath(__file__))
        self.server = self.child("api", [self.python, "-m", "uvicorn", "--app-dir", here, "--host", "127.0.0.1", "--port", str(self.port),
                                         "--no-server-header", f"{self.app}:app"], env=env)
        wait_until("the API", lambda: answers(self.url + "/health"), child=self.server)

    def asked(self):
        """The requests that it has answered, each as 'POST /path status'."""
        lines = [line.split('"') for line in self.server.output().splitlines() if line.count('"') == 2]
        return [f"{line[1].rsplit(' ', 1)[0]} {line[2].split()[0]}" for line in lines if "/health" not in line[1]]

    def stop_server(self):
        self.server.stop()
        self.children.remove(self.server)
