"""PostgreSQL as Debian has it: a primary or a replica, with or without data checksums and TLS, in a folder that user postgres may enter."""

import os
import shutil
import signal
import tempfile

import psycopg2
from processes import free_port, uninterrupted, wait_until
from service import Service
from stack import as_postgres, give_to_postgres, postgres_program


class Postgres(Service):
    """The folder is its own, and gone with it: a test's own folder is closed to user postgres, who runs the server."""

    password = "postgres-hunter2"

    def __init__(self, options=(), initdb=(), primary=None, certificate=None):
        """`options` are the server's ("max_connections=20"). With a `primary` it is a replica, which reads a slot called replica. `certificate`: (key,
        certificate) in PEM."""
        super().__init__("")
        self.options, self.initdb, self.primary, self.certificate = list(options), initdb, primary, certificate
        self.port = free_port()
        self.server = None

    def __enter__(self):
        with uninterrupted():
            self.folder = tempfile.mkdtemp(prefix="flipback-postgres-")
        os.chmod(self.folder, 0o755)
        return super().__enter__()

    def __exit__(self, *unused):
        super().__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def home(self):
        return self.path("home")

    @property
    def data(self):
        return self.path("home", "data")

    def prepare(self):
        os.mkdir(self.home)
        give_to_postgres(self.home)
        if self.primary:
            self.finish("basebackup", as_postgres([postgres_program("pg_basebackup"), "-D", self.data, "-R", "-C", "-S", "replica", "--checkpoint=fast", "-N",
                                                   "-d", self.primary.where()]), cwd=self.home)
            return
        password = self._file("password", self.password.encode())
        self.finish("initdb", as_postgres([postgres_program("initdb"), "-D", self.data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={password}", "-E",
                                           "UTF8", "--locale=C.UTF-8", "-N", *self.initdb]), cwd=self.home)
        if self.certificate:
            for name, source in zip(("server.key", "server.crt"), self.certificate):
                with open(source, "rb") as file:
                    self._file(os.path.join("data", name), file.read())
            self.options.append("ssl=on")

    def _file(self, name, contents):
        path = os.path.join(self.home, name)
        with open(path, "wb") as file:
            file.write(contents)
        os.chmod(path, 0o600)
        give_to_postgres(path)
        return path

    def start(self):
        if not os.path.exists(self.data):
            self.prepare()
        settings = ["listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.home}", "fsync=off", "shared_buffers=16MB",
                    "autovacuum=off", *self.options]
        self.server = self.child("postgres", as_postgres([postgres_program("postgres"), "-D", self.data, *(f"-c{one}" for one in settings)]),
                                 stop_signal=signal.SIGINT, cwd=self.home)
        wait_until("Postgres", self.answers, 60, self.server)

    def answers(self):
        try:
            self.session().close()
            return True
        except psycopg2.OperationalError:
            return False

    def stop_server(self, with_signal=signal.SIGINT):
        self.server.signal(with_signal)
        self.server.process.wait(20)
        self.children.remove(self.server)

    def where(self, database="postgres", user="postgres", password=None):
        return f"host=127.0.0.1 port={self.port} dbname={database} user={user} password={password or self.password} application_name=test"

    def session(self, **who):
        """A connection that is the caller's to close; each statement is a transaction of its own."""
        made = psycopg2.connect(self.where(**who))
        made.autocommit = True
        return made

    def run(self, sql, **who):
        """Carries out SQL; the rows of its last statement."""
        session = self.session(**who)
        try:
            with session.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            session.close()
