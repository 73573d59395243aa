"""Airflow 2.11 and 3.1, each on SQLite: a web server, a scheduler, with 3 a DAG processor; their users, their DAGs."""

import base64
import json
import os
import shutil
import urllib.error
import urllib.request
from signal import SIGKILL

from processes import free_port, wait_until
from service import Service, answers, fetched

# One Python for several of Airflow's commands: each of them alone is seconds of imports.
COMMANDS = """import shlex, sys
from airflow.cli import cli_parser
parser = cli_parser.get_parser()
for line in sys.argv[1:]:
    args = parser.parse_args(shlex.split(line))
    args.func(args)
"""
# Tasks that the scheduler ends by itself: no executor starts anything for them.
DAGS = """from datetime import datetime
from {dag} import DAG
from {empty} import EmptyOperator
for name in {names}:
    with DAG(name, start_date=datetime(2024, 1, 1), schedule=None, catchup=False, is_paused_upon_creation=name.startswith("paused")) as made:
        EmptyOperator(task_id="t")
    globals()[name] = made
"""
NAMES = ("ingest.städte", "spoilt", "never_run", "removed", "paused_one")


def password_of(user):
    return f"{user}-hunter2"


def start_of(pid):
    """When a process began, in ticks since the boot; nothing where it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return None


def descendants(pid):
    """Each process below this one, with its start: a pid may be another's later."""
    found = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in map(int, file.read().split()):
                found += [(child, start_of(child)), *descendants(child)]
    except OSError:
        pass
    return found


class Airflow(Service):
    """What both have. `heartbeat`: seconds between two of a part; `threshold`: after how many Airflow itself calls a part unhealthy."""

    environment = None  # where tests/services/fetch puts it
    web = None  # the command that serves HTTP
    parts = ()  # the commands beside it
    api = None
    imports = {}
    heartbeat, threshold = 1, 15

    def __init__(self, folder, port=None):
        super().__init__(folder)
        self.port = port or free_port()
        self.running = {}
        self.more = {}  # settings that a test changed

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def settings(self):
        return {
            "AIRFLOW_HOME": self.folder, "PYTHONWARNINGS": "ignore", "AIRFLOW__CORE__DAGS_FOLDER": self.path("dags"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.path('airflow.db')}", "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": str(self.heartbeat), "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": str(self.threshold),
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False", "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
            "PATH": os.path.join(fetched(self.environment), "bin") + ":" + os.environ["PATH"],
        }

    def how(self):
        return {"env": os.environ | self.settings() | self.more}

    def commands(self, *lines):
        return self.finish("commands", [self.program("python"), "-c", COMMANDS, *lines], **self.how())

    def start(self):
        os.makedirs(self.path("dags"))
        self.write_dags("dags.py", NAMES)
        self.prepare()
        for part in (self.web, *self.parts):
            self.start_part(part)
        wait_until("Airflow's web server", lambda: answers(self.url + self.health), 300, self.running[self.web])
        wait_until("the DAGs", lambda: len(self.ask("/dags?limit=100")[1].get("dags", ())) >= len(NAMES), 300)

    def prepare(self):
        raise NotImplementedError

    def start_part(self, part):
        self.running[part] = self.child(part, self.argv(part), **self.how())

    def argv(self, part):
        return [self.program("airflow"), part, *(["--skip-serve-logs"] if part == "scheduler" else [])]

    def program(self, name):
        return os.path.join(fetched(self.environment), "bin", name)

    def stop_part(self, part, signal=15):
        child = self.running.pop(part)
        below = descendants(child.pid)
        child.signal(signal)
        child.stop(patience=20)
        self.children.remove(child)
        for pid, began in below:  # a killed scheduler's DAG processor does not notice that it is alone
            if start_of(pid) == began:
                os.kill(pid, SIGKILL)

    def write_dags(self, file, names):
        with open(self.path("dags", file), "w", encoding="utf-8") as out:
            out.write(DAGS.format(names=repr(tuple(names)), **self.imports))

    def write_broken(self, file):
        """A file without both words "dag" and "airflow" in it would be passed over unread."""
        with open(self.path("dags", file), "w", encoding="utf-8") as out:
            out.write("from airflow import DAG\nimport no_such_module_hunter2  # in its stack trace, which nobody may tell\n")

    def state(self):
        with urllib.request.urlopen(self.url + self.health, timeout=20) as answer:
            return json.load(answer)

    def credentials(self):
        """The value of the header Authorization of who may do everything."""
        raise NotImplementedError

    def ask(self, path, body=None, method=None):
        """Status and JSON of a question to the API."""
        data = None if body is None else json.dumps(body).encode()
        question = urllib.request.Request(self.url + self.api + path, data, {"Authorization": self.credentials(), "Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(question, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, {}

    def run_dag(self, dag):
        """Runs a DAG to its end; the run's id."""
        dag = urllib.request.quote(dag)
        status, made = self.ask(f"/dags/{dag}/dagRuns", self.trigger)
        assert status == 200, made
        run = f"/dags/{dag}/dagRuns/{urllib.request.quote(made['dag_run_id'])}"
        wait_until(f"the run of {dag}", lambda: self.ask(run)[1].get("state") == "success", 180)
        return run

    def mark_failed(self, run):
        assert self.ask(run, {"state": "failed"}, "PATCH")[0] == 200


class Airflow2(Airflow):
    environment = "airflow2"
    web, parts = "webserver", ("scheduler",)
    api, health = "/api/v1", "/health"
    imports = {"dag": "airflow", "empty": "airflow.operators.empty"}
    trigger = {}

    def settings(self):
        return super().settings() | {
            "AIRFLOW__CORE__EXECUTOR": "SequentialExecutor", "AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
            "AIRFLOW__WEBSERVER__SECRET_KEY": "k", "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "1", "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "2", "AIRFLOW__SCHEDULER__STALE_DAG_THRESHOLD": "2",
        }

    def argv(self, part):
        """What `airflow webserver` runs, without its monitor: that sends SIGTTIN after ten seconds, which stops a gunicorn that is still starting."""
        if part != self.web:
            return super().argv(part)
        return [self.program("gunicorn"), "--workers", "1", "--timeout", "120", "--bind", f"127.0.0.1:{self.port}",
                "--config", "python:airflow.www.gunicorn_config", "airflow.www.app:cached_app()"]

    def prepare(self):
        users = {"admin": "Admin", "flipback": "Flipback", "narrow": "Narrow", "outsider": "Public"}
        self.commands("db migrate", "sync-perm",
                      "roles create Flipback Narrow", 'roles add-perms Flipback -a can_read -r DAGs "DAG Runs" ImportError',
                      'roles add-perms Narrow -a can_read -r DAGs "DAG Runs"',
                      *(f"users create -u {name} -p {password_of(name)} -r {role} -e {name}@example.test -f A -l B" for name, role in users.items()))

    def credentials(self):
        return "Basic " + base64.b64encode(f"admin:{password_of('admin')}".encode()).decode()

    def hide_database(self):
        """In its place: connections that are open would go on with a file that was moved."""
        shutil.copyfile(self.path("airflow.db"), self.path("hidden.db"))
        os.truncate(self.path("airflow.db"), 0)

    def show_database(self):
        shutil.copyfile(self.path("hidden.db"), self.path("airflow.db"))


class Airflow3(Airflow):
    environment = "airflow3"
    web, parts = "api-server", ("scheduler", "dag-processor")
    api, health = "/api/v2", "/api/v2/monitor/health"
    imports = {"dag": "airflow.sdk", "empty": "airflow.providers.standard.operators.empty"}
    trigger = {"logical_date": None}

    def settings(self):
        return super().settings() | {
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor", "AIRFLOW__CORE__PARALLELISM": "1",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,flipback:viewer,outsider:", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": self.path("passwords.json"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/", "AIRFLOW__API__BASE_URL": self.url, "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port), "AIRFLOW__API__WORKERS": "1", "AIRFLOW__API__SECRET_KEY": "k" * 16, "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "1", "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "2", "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "2",
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "15",  # the DAG processor is called unhealthy after 2.1 of them: a busy machine takes the 10 s of the default
        }

    def prepare(self):
        with open(self.path("passwords.json"), "w", encoding="utf-8") as file:
            json.dump({name: password_of(name) for name in ("admin", "flipback", "outsider")}, file)
        self.commands("db migrate")

    def token(self, user="admin"):
        who = json.dumps({"username": user, "password": password_of(user)}).encode()
        question = urllib.request.Request(f"{self.url}/auth/token", who, {"Content-Type": "application/json"})
        with urllib.request.urlopen(question, timeout=20) as answer:
            return json.load(answer)["access_token"]

    def credentials(self):
        return "Bearer " + self.token()
