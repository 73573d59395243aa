"""The privileged helper as systemd starts it, without systemd: a socket that is the agent's group's, and the helper behind it while it is asked."""

import contextlib
import os
import pwd
import select
import signal
import socket
import subprocess
import tempfile
import threading

AGENT = pwd.getpwnam("nobody")  # whom the helper serves
RIGHTS = "-all,+chown,+dac_override,+net_bind_service"  # as the unit's CapabilityBoundingSet
# The socket as descriptor 3, as a unit's process has it.
ACTIVATED = 'export LISTEN_PID=$$ LISTEN_FDS=1; number=$1; shift; [ "$number" = 3 ] || exec 3<&"$number"; exec "$@"'


class Helper:
    """`folder` is root's. `settings` is what its file says beside `user`. Ended with the `with` block."""

    def __init__(self, binary, folder, settings):
        self.binary = binary
        self.folder = folder
        self.settings = os.path.join(folder, "helper.toml")
        self.state = os.path.join(folder, "state")
        self.socket = os.path.join(folder, "helper.sock")
        self.log = os.path.join(folder, "helper.log")
        os.makedirs(self.state, mode=0o700)
        self.configure(f'user = "{AGENT.pw_name}"\n{settings}')
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.socket)
        os.chown(self.socket, 0, AGENT.pw_gid)
        os.chmod(self.socket, 0o660)
        self.listening.listen(16)
        self.process = None
        self.ends, self.end = os.pipe()
        self.thread = threading.Thread(target=self.activate)

    def configure(self, text):
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.settings, 0o644)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        os.write(self.end, b".")
        self.kill()
        self.thread.join()

    def activate(self):
        """Whenever somebody waits to be accepted and no helper runs, one is started."""
        while True:
            ready, _, _ = select.select([self.listening, self.ends], [], [])
            if self.ends in ready:
                return
            number = self.listening.fileno()
            with open(self.log, "ab") as log:
                self.process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "KILL", "--no-new-privs", "--inh-caps=-all", f"--bounding-set={RIGHTS}", "bash", "-c", ACTIVATED, "helper",
                     str(number), self.binary, self.settings, self.state], pass_fds=[number], stderr=log, env={"PATH": os.environ["PATH"]})
            self.process.wait()

    def kill(self):
        """As kill -9 does."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)

    def told(self):
        """Its lines."""
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()


CALL = """
import socket, sys
peer = socket.socket(socket.AF_UNIX)
peer.settimeout(20)
try:
    peer.connect(sys.argv[1])
    peer.sendall(sys.stdin.buffer.read())
    if len(sys.argv) > 2:
        peer.shutdown(socket.SHUT_WR)
except OSError:
    pass
said = b""
try:
    while part := peer.recv(4096):
        said += part
except OSError:
    pass
sys.stdout.buffer.write(said)
"""


def ask(path, said, user=AGENT.pw_uid, group=AGENT.pw_gid, hang_up=False):
    """What is answered to these bytes, sent by that user; "" where nothing is."""
    done = subprocess.run(["/usr/bin/python3", "-c", CALL, path, *(["hang up"] if hang_up else [])], input=said if isinstance(said, bytes) else said.encode(),
                          capture_output=True, timeout=60, check=True, user=user, group=group, extra_groups=[])
    return done.stdout.decode().strip()


class Between:
    """Stands between an agent and the helper, and lets a test do something once an answer to `verb` is there; the agent never gets that one."""

    def __init__(self, helper, verb, then):
        self.helper, self.verb, self.then = helper, verb, then
        self.socket = os.path.join(helper.folder, "between.sock")
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.socket)
        os.chmod(self.socket, 0o666)
        self.listening.listen(16)
        threading.Thread(target=self.pass_on, daemon=True).start()

    def pass_on(self):
        while True:
            peer, _ = self.listening.accept()
            with peer, socket.socket(socket.AF_UNIX) as to:
                to.connect(self.helper.socket)
                order = peer.makefile("rb").readline()
                to.sendall(order)
                answer = to.makefile("rb").readline()
                if self.verb and order.startswith(self.verb.encode()):
                    self.verb = None
                    self.then()
                else:
                    with contextlib.suppress(OSError):
                        peer.sendall(answer)


def roots_folder():
    """A folder that root alone may change, as are all above it: /tmp is none."""
    folder = tempfile.mkdtemp(prefix="flipback-", dir="/run")
    os.chmod(folder, 0o755)
    return folder
