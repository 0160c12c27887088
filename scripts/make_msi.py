#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_msi.py FILE MEGABYTES [SECTOR-SIZE]: a compound file with the class of an installer package and one large
stream of noise. Enough to be signed; not to be installed."""
import random
import struct
import sys

END, FREE, FAT, DIF = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC


def entry(name, kind, child, start, size):
    text = name.encode("utf-16-le")
    class_id = bytes.fromhex("84100c0000000000c000000000000046") if kind == 5 else bytes(16)
    return (text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text) + 2, kind, 1, FREE, FREE, child) + class_id
            + struct.pack("<IQQIQ", 0, 0, 0, start, size))


def main():
    path, megabytes = sys.argv[1], int(sys.argv[2])
    sector = int(sys.argv[3]) if len(sys.argv) > 3 else 4096
    data = megabytes * 1_000_000 // sector
    per, fat, dif = sector // 4, 0, 0
    while True:
        total = data + 1 + fat + dif
        wanted = -(-total // per)
        more = max(0, -(-(wanted - 109) // (per - 1)))
        if (wanted, more) == (fat, dif):
            break
        fat, dif = wanted, more
    table = list(range(1, data)) + [END, END] + [FAT] * fat + [DIF] * dif
    table += [FREE] * (fat * per - len(table))
    pages = list(range(data + 1, data + 1 + fat))
    first_dif = data + 1 + fat
    version, shift = (4, 12) if sector == 4096 else (3, 9)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<5H6x", 0x3E, version, 0xFFFE, shift, 6)
    header += struct.pack("<9I", 1 if version == 4 else 0, fat, data, 0, 4096, END, 0, first_dif if dif else END, dif)
    header += struct.pack("<109I", *(pages + [FREE] * 109)[:109])
    noise = random.Random(1)
    with open(path, "wb") as out:
        out.write(header.ljust(sector, b"\0"))
        left = data * sector
        while left:
            block = noise.randbytes(min(left, 1 << 20))
            out.write(block)
            left -= len(block)
        directory = entry("Root Entry", 5, 1, END, 0) + entry("\u4573\u41f2\u41b8\u47b7\u4126\u4825", 2, FREE, 0,
                                                             data * sector)
        while len(directory) < sector:
            directory += bytes(0x44) + struct.pack("<3I", FREE, FREE, FREE) + bytes(0x30)
        out.write(directory)
        out.write(struct.pack(f"<{len(table)}I", *table))
        rest = pages[109:]
        for i in range(dif):
            part = (rest[i * (per - 1):(i + 1) * (per - 1)] + [FREE] * per)[:per - 1]
            out.write(struct.pack(f"<{per}I", *part, first_dif + i + 1 if i + 1 < dif else END))


if __name__ == "__main__":
    main()
