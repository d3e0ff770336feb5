#!/usr/bin/env python3
"""Writes the ramdisks in this folder: a second implementation of the canonical archive, from its description alone.

    python3 generate.py

Everything is fixed, so that a run changes nothing. The images beside them are AWS's library's; see README.md.
"""

import pathlib
import stat

HERE = pathlib.Path(__file__).parent

DIRECTORY, FILE, LINK, DEVICE = stat.S_IFDIR, stat.S_IFREG, stat.S_IFLNK, stat.S_IFCHR

BOOT = {
    "dev": (DIRECTORY | 0o755, b"", (0, 0)),
    "dev/console": (DEVICE | 0o600, b"", (5, 1)),
    "dev/nsm": (DEVICE | 0o600, b"", (10, 144)),
    "init": (FILE | 0o755, b"\x7fELF, in effect", (0, 0)),
    "tmp": (DIRECTORY | 0o1777, b"", (0, 0)),
}
APPLICATION = {
    "usr": (DIRECTORY | 0o755, b"", (0, 0)),
    "usr-local": (LINK | 0o777, b"usr/local", (0, 0)),
    "usr/bin": (DIRECTORY | 0o755, b"", (0, 0)),
    "usr/bin/empty": (FILE | 0o644, b"", (0, 0)),
    "usr/bin/r3e-enclave": (FILE | 0o755, bytes(range(256)) * 3, (0, 0)),
    "usr/bin/runner": (FILE | 0o555, b"12345", (0, 0)),
}


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def record(inode, mode, links, content, device, name):
    name = name.encode() + b"\0"
    fields = [inode, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(name), 0]
    return padded(b"070701" + b"".join(b"%08X" % field for field in fields) + name) + padded(content)


def archive(files):
    out = b""
    for inode, (path, (mode, content, device)) in enumerate(sorted(files.items()), 1):
        out += record(inode, mode, 2 if stat.S_ISDIR(mode) else 1, content, device, path)
    return out + record(0, 0, 1, b"", (0, 0), "TRAILER!!!")


(HERE / "boot.cpio").write_bytes(archive(BOOT))
(HERE / "application.cpio").write_bytes(archive(APPLICATION))
