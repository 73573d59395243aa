"""Writes a record as an agent with [record] does (rules/replay/record_writer.cpp), for `flipback replay`."""

import struct
import zlib

NUMBER, ABSENT = 1, 0
GAUGE, COUNTER = 0, 2  # signal_kind


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(value):
    return number((value << 1) ^ (value >> 63) if value >= 0 else ((-value) << 1) - 1)


def text(value):
    raw = value.encode()
    return number(len(raw)) + raw


class Recording:
    """Times are seconds from the record's begin, which is `wall` on the clock on the wall."""

    def __init__(self, wall=1_795_762_000, start=1_000_000):
        self.start = start * 10**9
        self.payload = bytearray(b"\x01" + integer(self.start) + integer(wall * 10**9) + b"\x00")
        self.last = self.start
        self.series = {}

    def gauge(self, name, stale=300.0):
        self.declare(name, GAUGE, stale)

    def counter(self, name, stale=300.0):
        self.declare(name, COUNTER, stale)

    def declare(self, name, kind, stale):
        self.series[name] = len(self.series)
        self.payload += b"\x02" + number(self.series[name]) + bytes((kind, 0)) + number(int(stale * 10**9)) + struct.pack("<d", 0) + text(name) + text(name)
        self.payload += text("") + b"\x00" + number(0) + b"\x00"

    def sample(self, name, at, value):
        now = self.start + round(at * 10**9)
        self.payload += b"\x03" + integer(now - self.last) + number(self.series[name]) + number(0)
        self.payload += bytes((ABSENT,)) if value is None else bytes((NUMBER,)) + struct.pack("<d", value)
        self.last = now

    def write(self, path):
        payload = bytes(self.payload)
        with open(path, "wb") as file:
            file.write(b"flipback record 3\n" + number(len(payload)) + payload + struct.pack("<I", zlib.crc32(payload)))
