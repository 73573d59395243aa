"""File systems of a test's own: a small one, and one whose server never answers. Needs the right to make a mount namespace, and /dev/fuse."""

import contextlib
import os
import shutil
import signal
import sys

from processes import wait_until
from service import Service

SIZE = 4 * 1024 * 1024  # of the small one


class FileSystems(Service):
    """Programs see `small` and `hung` when they are started with `within` before them; we ourselves see the small one at `seen`."""

    def start(self):
        self.small, self.hung = self.path("small"), self.path("hung")
        os.makedirs(self.small)
        os.makedirs(self.hung)
        self.server = self.child("file_systems", [sys.executable, os.path.join(os.path.dirname(__file__), "mount_namespace.py"), self.folder])
        wait_until("the file systems", lambda: "mounted" in self.server.output(), child=self.server)
        self.seen = f"/proc/{self.server.pid}/root{self.small}"
        user = [] if os.getuid() == 0 else ["--user", "--preserve-credentials"]
        self.within = [shutil.which("nsenter") or "/usr/bin/nsenter", "--target", str(self.server.pid), "--mount", *user, "--"]

    def fill(self, share):
        """So much of the small one is used."""
        with open(os.path.join(self.seen, "filling"), "wb") as file:
            file.write(b"x" * int(SIZE * share))

    def fill_up(self):
        """Not a byte more goes on the small one."""
        with open(os.path.join(self.seen, "filling"), "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)

    def end_the_hang(self):
        """It is unmounted by force: who waits for it gets an error, and the folder is one of the root's."""
        self.server.signal(signal.SIGUSR1)
