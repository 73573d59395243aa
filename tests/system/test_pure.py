"""What decides does no I/O and has no clock: held against what the linker would have to find for it."""

import os
import re
import subprocess

import pytest
from conftest import BINARY, ROOT

FORBIDDEN = re.compile(r"""
    boost::asio|boost::beast
  | std::filesystem::|basic_[io]?fstream|basic_filebuf
  | (steady_clock|system_clock|high_resolution_clock)::now
  | std::random_device|std::thread|std::this_thread
  | ^_*(open|openat|fopen|fdopen|creat|read|pread|readv|write|pwrite|writev|close|rename|renameat2?|unlink|unlinkat|mkdir|stat|lstat|fstat|fstatat
       |fsync|fdatasync|ioctl|mmap|socket|connect|bind|accept|accept4|send|sendto|sendmsg|recv|recvfrom|recvmsg|poll|ppoll|epoll_wait|select|getaddrinfo
       |clock_gettime|clock_nanosleep|nanosleep|gettimeofday|time|usleep|sleep|fork|execve|posix_spawnp?|kill|getenv|syscall|system|popen)(64)?(_chk|_2)?$
""", re.X)
BUILD = os.path.dirname(BINARY)


def wants(archive):
    """The symbols that a library leaves to others, by the object that needs them."""
    path = os.path.join(BUILD, archive)
    # Mangled and readable, in the same order: what a function of ours is called must not be taken for the C library's.
    raw, readable = (subprocess.run(["nm", "-u", *how, path], check=True, capture_output=True, text=True).stdout.splitlines() for how in ([], ["-C"]))
    found, of = [], None
    for mangled, plain in zip(raw, readable, strict=True):
        if mangled.endswith(".o:"):
            of = mangled[:-1]
        elif mangled.split()[:1] in (["U"], ["w"]):
            name = mangled.split()[1].partition("@")[0]
            found.append((of, name if not name.startswith("_Z") else plain.split(None, 1)[1]))
    return found


def impure(archive):
    return [f"{of} needs {name}" for of, name in wants(archive) if FORBIDDEN.search(name)]


@pytest.mark.parametrize("archive", ["agent/libflipback_acting.a", "rules/libflipback_rules.a"])
def test_what_decides_needs_no_file_no_socket_no_clock_and_nothing_of_asio(archive):
    assert len(wants(archive)) > 100, "nothing was read from the library"
    assert impure(archive) == []


def test_the_same_question_finds_all_of_that_in_what_acts():
    found = "\n".join(impure("agent/libflipback_operating.a"))
    for what in ("boost::asio", "std::filesystem::", "clock::now", " needs fsync", " needs open\n", " needs rename"):
        assert what in found


def test_the_number_of_an_error_is_read_in_one_place():
    """Where its category is looked at, too: the same number means something else in another."""
    sources = [os.path.join(folder, name) for room in ("agent", "include", "probes", "rules") for folder, _, names in os.walk(os.path.join(ROOT, room))
               for name in names if name.endswith((".cpp", ".hpp"))]
    assert len(sources) > 400, "nothing was read"
    found = set()
    for path in sources:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        errors = set(re.findall(r"\berror_code(?: |& )(\w+)[;,)\]{]", text)) | {"error", "code", "ec"}
        if re.search(rf"\b({'|'.join(sorted(errors))})\.value\(\)", text):
            found.add(os.path.relpath(path, ROOT))
    assert found == {"include/flipback/errno_of.hpp", "probes/net/certificate.cpp"}
