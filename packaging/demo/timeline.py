"""What a person watches: a line an event with the time since the cutover, and below it, on a terminal, a line that says how things stand."""

import os
import shutil
import sys
import time


class Timeline:
    marks = {"good": ("✓", "32"), "bad": ("✗", "31"), "warn": ("!", "33"), "step": ("·", "36"), "note": (" ", "2")}

    def __init__(self, plain=False):
        self.live_line = sys.stdout.isatty() and not plain
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.zero = time.time()
        self.shown = False

    def start(self):
        self.zero = time.time()

    def paint(self, text, colour):
        return f"\033[{colour}m{text}\033[0m" if self.colours else text

    def marked(self, kind, text):
        mark, colour = self.marks[kind]
        return f"{self.paint(mark, colour)} {text}"

    def _clear(self):
        if self.shown:
            sys.stdout.write("\r\033[K")
            self.shown = False

    def say(self, kind, text, at=None):
        self._clear()
        since = (at or time.time()) - self.zero
        sys.stdout.write(f"{since:+8.2f}s  {self.marked(kind, text)}\n")
        sys.stdout.flush()

    def heading(self, text):
        self._clear()
        sys.stdout.write("\n" + self.paint(text, "1") + "\n")
        sys.stdout.flush()

    def status(self, text):
        if not self.live_line:
            return
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write("\r\033[K" + text[:width])
        sys.stdout.flush()
        self.shown = True

    def end(self):
        self._clear()
        sys.stdout.flush()


def bar(value, limit, width=12):
    """How far a value is towards its limit; full means over it."""
    filled = 0 if limit <= 0 else min(width, int(width * value / limit))
    return "█" * filled + "░" * (width - filled)
