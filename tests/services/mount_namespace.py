"""`mount_namespace.py FOLDER`: in a mount namespace of its own mounts FOLDER/small (4 MiB) and FOLDER/hung (whose server never answers), says
`mounted`, and keeps both until it ends. SIGUSR1: the second one is unmounted by force."""

import ctypes
import os
import signal
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REC_PRIVATE = 0x4000 | 0x40000
MNT_FORCE, MNT_DETACH = 1, 2


def mount(libc, source, target, kind, flags, options):
    if libc.mount(source, target.encode(), kind, flags, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def serve(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNS | (0 if uid == 0 else CLONE_NEWUSER)) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace can be made: " + os.strerror(ctypes.get_errno()))
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    mount(libc, b"none", "/", None, MS_REC_PRIVATE, "")
    mount(libc, b"small", os.path.join(folder, "small"), b"tmpfs", 0, "size=4m")
    device = os.open("/dev/fuse", os.O_RDWR)  # whose questions nobody reads
    hung = os.path.join(folder, "hung")
    mount(libc, b"hung", hung, b"fuse", 0, f"fd={device},rootmode=40000,user_id={uid},group_id={gid}")
    signal.signal(signal.SIGUSR1, lambda *unused: libc.umount2(hung.encode(), MNT_FORCE | MNT_DETACH))
    print("mounted", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1])
