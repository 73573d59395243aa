"""PgBouncer as Debian has it, before a Postgres: a connection of the server's is lent for a transaction at a time."""

import os
import shutil
import signal
import socket
import tempfile

from processes import free_port, uninterrupted, wait_until
from service import Service
from stack import as_postgres, give_to_postgres


class PgBouncer(Service):
    """The folder is its own, and gone with it: PgBouncer refuses root, so user postgres runs it, to whom a test's own folder is closed."""

    def __init__(self, server_port, users, settings=()):
        """`users`: a name's password, by which it comes in here and by which PgBouncer comes in there. `settings` are its own ("pool_mode=session")."""
        super().__init__("")
        self.server_port, self.users, self.settings = server_port, users, list(settings)
        self.port = free_port()

    def __enter__(self):
        with uninterrupted():
            self.folder = tempfile.mkdtemp(prefix="flipback-pgbouncer-")
        give_to_postgres(self.folder)
        return super().__enter__()

    def __exit__(self, *unused):
        super().__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, name, lines):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        os.chmod(path, 0o600)
        give_to_postgres(path)
        return path

    def start(self):
        users = self._file("users", [f'"{name}" "{password}"' for name, password in self.users.items()])
        settings = self._file("pgbouncer.ini", [
            "[databases]", f"* = host=127.0.0.1 port={self.server_port}", "[pgbouncer]", "listen_addr=127.0.0.1", f"listen_port={self.port}", "unix_socket_dir=",
            "auth_type=scram-sha-256", f"auth_file={users}", "pool_mode=transaction", *self.settings])
        program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
        bouncer = self.child("pgbouncer", as_postgres([program, settings]), stop_signal=signal.SIGINT, cwd=self.folder)
        wait_until("PgBouncer", self.listens, 10, bouncer)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
