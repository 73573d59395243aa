"""A reader of logfmt, written from the format's description and from nothing of ours.

A line is pairs `key=value`, one space between two. A key is letters, digits and `_.-`. A value is bare, and then holds neither a space nor a control, `=`, `"`; or stands
in double quotes, and then has `\\"`, `\\\\`, `\\/`, `\\n`, `\\r`, `\\t`, `\\b`, `\\f` and `\\uXXXX` (a pair of them beyond U+FFFF) for what can't stand there as it is."""

import re

KEY = re.compile(r"[A-Za-z0-9_.-]+")
BARE = re.compile(r'[^\x00-\x20="\x7f]*')
SHORT = {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Malformed(ValueError):
    pass


def quoted(line, at):
    """The text whose opening quote is before `at`, and where it has ended."""
    units = []
    while line[at : at + 1] != '"':
        if at >= len(line) or ord(line[at]) < 0x20:
            raise Malformed(f"no closing quote: {line[at:]!r}")
        if line[at] != "\\":
            units.append(line[at])
            at += 1
            continue
        escape = line[at + 1 : at + 2]
        if escape == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", line[at + 2 : at + 6]):
            units.append(chr(int(line[at + 2 : at + 6], 16)))
            at += 6
        elif escape and escape in SHORT:
            units.append(SHORT[escape])
            at += 2
        else:
            raise Malformed(f"no escape: {line[at:at + 6]!r}")
    return "".join(units).encode("utf-16", "surrogatepass").decode("utf-16"), at + 1


def pairs(line):
    """The pairs of a line, in their order."""
    found, at = [], 0
    while at < len(line):
        if found and line[at] != " ":
            raise Malformed(f"no space between two pairs: {line[at:]!r}")
        at += 1 if found else 0
        key = KEY.match(line, at)
        if not key or line[key.end() : key.end() + 1] != "=":
            raise Malformed(f"no key: {line[at:]!r}")
        at = key.end() + 1
        if line[at : at + 1] == '"':
            value, at = quoted(line, at + 1)
        else:
            bare = BARE.match(line, at)
            value, at = bare[0], bare.end()
        found.append((key[0], value))
    return found


def fields(line):
    """The same as a dictionary; no key may be there twice."""
    found = pairs(line)
    if len(dict(found)) != len(found):
        raise Malformed(f"a key is there twice: {line!r}")
    return dict(found)
