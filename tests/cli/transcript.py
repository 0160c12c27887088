#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one transcript of tests/cli/cases against the program.

Usage: transcript.py BINARY CASE-FILE

A case is read line by line in an empty folder, with an environment of its own:

  # text                     a comment
  pe PATH [SEED]             make a small 64-bit PE image; other seeds make other bytes
  cat PATH FILE...           make an unsigned catalog of those files
  crowd PATH COUNT           make a folder with so many of them
  write PATH TEXT            make a file (\\n in TEXT is a line break)
  copy FROM TO               copy a file
  folder PATH                make a folder
  truncate PATH SIZE         cut a file
  flip PATH OFFSET           invert one byte
  readonly PATH              take write permission away
  env NAME=VALUE             set a variable for the commands that follow; NAME= unsets it
  keep PATH                  remember a file's bytes, for `unchanged`
  $ signctl ...              run; no shell, but quotes as in one; openssl may be run as well
  $full signctl ...          run with standard output going to a full disk
  cd PATH                    the folder that the commands that follow run in
  exit CODE                  the exit code; must follow every command
  stdout TEXT, stderr TEXT   TEXT is somewhere in it
  stdout! TEXT, stderr! TEXT it is not
  stdout~ RE, stderr~ RE     a regular expression matches somewhere in it
  empty stdout, empty stderr nothing was printed
  json PATH VALUE            the document on stdout has VALUE (JSON) at PATH (a.0.b)
  unchanged PATH             as it was at `keep`
  exists PATH, absent PATH
  same A B, differ A B       compare two files
  contains PATH TEXT         TEXT is somewhere in the file
  save PATH                  write the last stdout to a file
  require unix               skip loudly on Windows; `openssl` and `linux` likewise

After every command that failed, no file whose name begins with ".signctl-" may be left anywhere.
"""
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile


def make_pe(seed):
    """A minimal PE32+ image with one section, laid out by the PE specification."""
    alignment, file_alignment = 0x1000, 0x200
    dos = bytearray(0x80)
    dos[0:2] = b"MZ"
    struct.pack_into("<I", dos, 0x3C, 0x80)
    code = bytes((seed + i) & 0xFF for i in range(file_alignment))
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, file_alignment, 0, 0, alignment, alignment)
    optional += struct.pack("<QIIHHHHHHIIIIHH", 0x140000000, alignment, file_alignment, 6, 0, 0, 0, 6,
                            0, 0, 2 * alignment, file_alignment, 0, 3, 0x8160)
    optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16) + bytes(128)
    section = struct.pack("<8sIIIIIIHHI", b".text", file_alignment, alignment, file_alignment,
                          file_alignment, 0, 0, 0, 0, 0x60000020)
    headers = bytes(dos) + b"PE\0\0" + coff + optional + section
    return headers.ljust(file_alignment, b"\0") + code


def der(tag, *parts):
    """One DER element."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


MICROSOFT = bytes.fromhex("2b060104018237")  # 1.3.6.1.4.1.311
SHA256 = der(0x30, der(6, bytes.fromhex("608648016503040201")), b"\x05\x00")


def image_digest(data):
    """What a catalog lists: the Authenticode digest of an unsigned PE32+ image, else that of all bytes."""
    if data[:2] == b"MZ":
        header = struct.unpack_from("<I", data, 0x3C)[0]
        data = data[:header + 88] + data[header + 92:header + 168] + data[header + 176:]
    return hashlib.sha256(data).digest()


def make_cat(digests):
    """An unsigned catalog (version 2) of files with these SHA-256 digests."""
    members = b""
    for digest in digests:
        data = der(0x30, der(0x30, der(6, MICROSOFT + b"\x02\x01\x19"), bytes.fromhex("a2028000")),
                   der(0x30, SHA256, der(4, digest)))
        attribute = der(0x30, der(6, MICROSOFT + b"\x02\x01\x04"), der(0x31, data))
        members += der(0x30, der(4, digest), der(0x31, attribute))
    ctl = der(0x30, der(0x30, der(6, MICROSOFT + b"\x0c\x01\x01")), der(4, bytes(16)), der(0x17, b"260301120000Z"),
              der(0x30, der(6, MICROSOFT + b"\x0c\x01\x03"), b"\x05\x00"), der(0x30, members))
    content = der(0x30, der(6, MICROSOFT + b"\x0a\x01"), der(0xA0, ctl))
    signed = der(0x30, der(2, b"\x01"), der(0x31), content, der(0x31))
    return der(0x30, der(6, bytes.fromhex("2a864886f70d010702")), der(0xA0, signed))


class Failure(Exception):
    pass


class Transcript:
    def __init__(self, binary, folder):
        self.binary = binary
        self.folder = folder
        self.working = folder
        self.kept = {}
        self.result = None
        self.exit_seen = True
        self.environment = {"HOME": str(folder / "no-home"), "PATH": os.environ.get("PATH", ""),
                            "LC_ALL": "C.UTF-8"}
        for name in ("SYSTEMROOT", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def path(self, name):
        return self.folder / name

    def command(self, text, output=subprocess.PIPE):
        words = shlex.split(text)
        programs = {"signctl": self.binary, "openssl": "openssl"}
        if words[0] not in programs:
            raise Failure(f"unknown program {words[0]}")
        if not self.exit_seen:
            raise Failure("the command before has no exit line")
        self.exit_seen = False
        self.result = subprocess.run([programs[words[0]], *words[1:]], cwd=self.working, timeout=120,
                                     env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=subprocess.PIPE, check=False)
        left = [str(p) for p in self.folder.rglob(".signctl-*")]
        if left:
            raise Failure(f"temporary files are left: {left}")

    def stream(self, name):
        return (getattr(self.result, name) or b"").decode("utf-8", "replace")

    def expect(self, condition, what):
        if not condition:
            raise Failure(what)

    def check_stream(self, name, mode, text):
        output = self.stream(name)
        if mode == "!":
            self.expect(text not in output, f"{name} must not have: {text}")
        elif mode == "~":
            self.expect(re.search(text, output, re.MULTILINE), f"{name} does not match: {text}")
        else:
            self.expect(text in output, f"{name} does not have: {text}")

    def check_json(self, rest):
        where, wanted = rest.split(" ", 1)
        try:
            value = json.loads(self.result.stdout)
            for key in where.split("."):
                value = value[int(key)] if isinstance(value, list) else value[key]
        except (ValueError, LookupError, TypeError) as error:
            raise Failure(f"no {where}: {error!r}") from error
        self.expect(value == json.loads(wanted), f"{where} is {json.dumps(value)}, not {wanted}")

    def make(self, word, words):
        path = self.path(words[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        if word == "pe":
            path.write_bytes(make_pe(int(words[1]) if len(words) > 1 else 0))
        elif word == "cat":
            path.write_bytes(make_cat([image_digest(self.path(name).read_bytes()) for name in words[1:]]))
        elif word == "crowd":
            path.mkdir()
            for i in range(int(words[1])):
                (path / f"{i:04}.exe").write_bytes(make_pe(0) + struct.pack("<Q", i))
        elif word == "write":
            path.write_text(" ".join(words[1:]).replace("\\n", "\n"), newline="\n")
        elif word == "copy":
            shutil.copyfile(path, self.path(words[1]))
        elif word == "folder":
            path.mkdir()
        elif word == "truncate":
            os.truncate(path, int(words[1]))
        elif word == "flip":
            data = bytearray(path.read_bytes())
            data[int(words[1])] ^= 0xFF
            path.write_bytes(data)
        elif word == "readonly":
            path.chmod(0o444)
        elif word == "keep":
            self.kept[words[0]] = path.read_bytes()
        elif word == "save":
            path.write_bytes(self.result.stdout)

    def check(self, word, words):
        if word == "exit":
            self.exit_seen = True
            self.expect(self.result.returncode == int(words[0]),
                        f"exit code {self.result.returncode}, not {words[0]}")
        elif word == "empty":
            self.expect(not self.stream(words[0]), f"{words[0]} is not empty")
        elif word == "unchanged":
            self.expect(self.path(words[0]).read_bytes() == self.kept[words[0]],
                        f"{words[0]} has changed")
        elif word == "exists":
            self.expect(self.path(words[0]).exists(), f"{words[0]} is missing")
        elif word == "absent":
            self.expect(not self.path(words[0]).exists(), f"{words[0]} is there")
        elif word in ("same", "differ"):
            equal = self.path(words[0]).read_bytes() == self.path(words[1]).read_bytes()
            self.expect(equal == (word == "same"), f"{words[0]} and {words[1]}: not {word}")
        else:
            raise Failure(f"unknown line: {word}")

    def line(self, text):
        word, _, rest = text.partition(" ")
        stream = re.fullmatch(r"(stdout|stderr)([!~]?)", word)
        if word == "$":
            self.command(rest)
        elif word == "$full":
            with open("/dev/full", "wb") as full:
                self.command(rest, full)
        elif word == "cd":
            self.working = self.path(rest)
        elif stream:
            self.check_stream(stream[1], stream[2], rest)
        elif word == "json":
            self.check_json(rest)
        elif word == "contains":
            name, _, wanted = rest.partition(" ")
            self.expect(wanted in self.path(name).read_text(), f"{name} does not have: {wanted}")
        elif word == "env":
            name, _, value = rest.partition("=")
            if value:
                self.environment[name] = value
            else:
                self.environment.pop(name, None)
        elif word in ("pe", "cat", "crowd", "write", "copy", "folder", "truncate", "flip", "readonly", "keep", "save"):
            self.make(word, rest.split(" ") if word == "write" else shlex.split(rest))
        else:
            self.check(word, shlex.split(rest))


def unmet(requirement):
    if requirement == "unix" and os.name == "nt":
        return "needs a POSIX system"
    if requirement == "linux" and not os.path.exists("/dev/full"):
        return "needs /dev/full"
    if requirement == "openssl" and shutil.which("openssl") is None:
        return "needs the openssl program"
    return None


def run(binary, case):
    with tempfile.TemporaryDirectory(prefix="signctl-cli-") as scratch:
        transcript = Transcript(binary, pathlib.Path(scratch).resolve())
        for number, text in enumerate(case.read_text(encoding="utf-8").splitlines(), 1):
            text = text.strip()
            if not text or text.startswith("#"):
                continue
            if text.startswith("require "):
                reason = unmet(text.split()[1])
                if reason:
                    print(f"SKIPPED: {case.name} ({reason})")
                    return 0
                continue
            try:
                transcript.line(text)
            except Failure as failure:
                print(f"{case}:{number}: {text}\n  {failure}")
                if transcript.result is not None:
                    print("--- stdout\n" + transcript.stream("stdout"))
                    print("--- stderr\n" + transcript.stream("stderr"))
                return 1
        if not transcript.exit_seen:
            print(f"{case}: the last command has no exit line")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])))
