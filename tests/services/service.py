"""A real server as a test starts it: in a folder of its own, on free ports, ended by its pid."""

import os
import socket
import urllib.error
import urllib.request

from processes import Child, wait_until

SERVERS = os.environ.get("FLIPBACK_SERVERS") or os.path.expanduser("~/.cache/flipback/servers")


def fetched(name):
    """Where tests/services/fetch has put a server."""
    path = os.path.join(SERVERS, name)
    if not os.path.exists(path):
        raise RuntimeError(f"{path} is not there: tests/services/fetch {name} fetches it")
    return path


class Service:
    """`with Some(folder) as some:` starts it and waits until it answers; its end leaves no process. The folder is the caller's."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.children = []

    def __enter__(self):
        try:
            os.makedirs(self.folder, exist_ok=True)
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *unused):
        self.stop()

    def start(self):
        raise NotImplementedError

    def stop(self):
        for child in reversed(self.children):
            child.stop(patience=15)
        self.children.clear()

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def child(self, name, argv, **how):
        made = Child(name, argv, self.path(f"{name}.log"), **how)
        self.children.append(made)
        return made

    def finish(self, name, argv, **how):
        """Runs a command to its end."""
        child = self.child(name, argv, **how)
        status = child.process.wait()
        self.children.remove(child)
        if status != 0:
            raise RuntimeError(f"{name} ended with {status}:\n{child.output()[-3000:]}")
        return child.output()


def answers(url, status=200):
    """Whether an address answers with this status; False while nothing listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == status
    except urllib.error.HTTPError as error:
        return error.code == status
    except OSError:
        return False


def wait_for_port(port, child, seconds=30):
    wait_until(f"port {port}", lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None, seconds, child)
