"""A Docker Engine of its own, in a folder of its own: whoever needs one starts it, and nothing of it outlives the test."""

import os
import shutil
import subprocess
import time

from processes import Child, program, wait_until


class DockerEngine:
    """Without a bridge: containers have this host's network, or none."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.socket = os.path.join(self.folder, "docker.sock")
        self.daemon = None

    def __enter__(self):
        os.makedirs(self.folder, exist_ok=True)
        self.daemon = Child("dockerd", [program("dockerd"), "--data-root", self._path("data"), "--exec-root", self._path("exec"), "-p", self._path("pid"),
                                        "-H", f"unix://{self.socket}", "--iptables=false", "--bridge=none"], self._path("log"))
        try:
            wait_until("the Docker Engine", lambda: self.run("version", check=False).returncode == 0, 60, self.daemon)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.daemon.alive():
            for container in self.run("ps", "-aq", check=False).stdout.split():
                self.run("rm", "-f", container, check=False)
        self.daemon.stop(patience=15)
        with open("/proc/self/mounts", encoding="utf-8") as file:
            left = [line.split()[1] for line in file if line.split()[1].startswith(self.folder + "/")]
        for mount in sorted(left, reverse=True):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words, check=True, seconds=300):
        """`docker` with these words."""
        done = subprocess.run(["/usr/bin/docker", "-H", f"unix://{self.socket}", *words], capture_output=True, text=True, timeout=seconds, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"docker {' '.join(words)}: {done.stdout}{done.stderr}")
        return done

    def import_image(self, tar, name):
        self.run("import", str(tar), name)


# What systemd needs to be a container's first process, one by one: not every host has all that --privileged would give.
CAPABILITIES = """chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin
net_raw ipc_lock ipc_owner sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_time sys_tty_config mknod lease audit_write audit_control
setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read""".split()


class SystemdHost:
    """A container in which systemd runs as on a host, from an image that has it."""

    def __init__(self, engine, image, name):
        self.engine = engine
        self.name = name
        rights = [word for capability in CAPABILITIES for word in ("--cap-add", capability)]
        engine.run("run", "-d", "--name", name, *rights, "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--network", "host",
                   "--cgroupns=host", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
                   "-e", "container=docker", image, "/sbin/init")
        wait_until("systemd", lambda: self.sh("systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded"), 60)
        self.sh("mount --make-rshared /")  # as it is on a host: what systemd mounts for a service, such as its credentials, is to be seen there

    def sh(self, command, check=True, user=None, seconds=300):
        """Runs a line of shell there."""
        return self.engine.run("exec", *(("--user", user) if user else ()), "-e", "DEBIAN_FRONTEND=noninteractive", self.name, "/bin/sh", "-c", command,
                               check=check, seconds=seconds)

    def says(self, command, **how):
        return self.sh(command, **how).stdout.strip()

    def put(self, file, where):
        self.engine.run("cp", str(file), f"{self.name}:{where}")

    def write(self, path, text, mode="644"):
        quoted = text.replace("'", "'\\''")
        self.sh(f"mkdir -p \"$(dirname '{path}')\" && printf %s '{quoted}' > '{path}' && chmod {mode} '{path}'")

    def wait(self, what, command, expected, seconds=30):
        """Until the line prints this."""
        end = time.monotonic() + seconds
        while (found := self.says(command, check=False)) != expected:
            if time.monotonic() > end:
                raise RuntimeError(f"{what}: {command} says {found!r}, expected {expected!r}\n{self.says('journalctl -n 40 --no-pager', check=False)}")
            time.sleep(0.1)
