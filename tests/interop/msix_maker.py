# SPDX-License-Identifier: Apache-2.0
"""Makes unsigned app packages and bundles, octet by octet, as makeappx does: blocks of 64 KiB that unpack
alone, the block map, content types; with or without data descriptors and ZIP64 records. Streams, so that a
package may be large."""
import base64
import hashlib
import struct
import zlib
from xml.sax.saxutils import quoteattr

BLOCK = 65536
METHODS = {"sha256": "http://www.w3.org/2001/04/xmlenc#sha256",
           "sha384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
           "sha512": "http://www.w3.org/2001/04/xmlenc#sha512"}
TIME = (0x59215862 & 0xFFFF, 0x59215862 >> 16)
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">
  <Identity Name="Contoso.App" Publisher={publisher} Version="1.2.3.0" ProcessorArchitecture="x64" />
  <Properties><DisplayName>App</DisplayName><PublisherDisplayName>Contoso</PublisherDisplayName></Properties>
</Package>
"""
BUNDLE = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<Bundle xmlns="http://schemas.microsoft.com/appx/2013/bundle" SchemaVersion="4.0">
  <Identity Name="Contoso.App" Publisher={publisher} Version="1.2.3.0"/>
  <Packages>{packages}</Packages>
</Bundle>"""
TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{defaults}<Override \
PartName="/AppxBlockMap.xml" ContentType="application/vnd.ms-appx.blockmap+xml"/></Types>"""


class Archive:
    """A ZIP file written front to back."""

    def __init__(self, path, alg, wide=False):
        self.out = open(path, "wb")
        self.alg = alg
        self.wide = wide        # data descriptors with 8-octet sizes, ZIP64 fields and records
        self.central = []
        self.mapped = []

    def add(self, name, pieces, stored=False, mapped=True):
        """`pieces`: the content, as an iterable of blocks of 64 KiB. The offset of the bytes in the file."""
        at = self.out.tell()
        stored_name = name.replace(" ", "%20").encode()
        flags = 8 if self.wide else 0
        header = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45 if self.wide else 20, flags, 0 if stored else 8, *TIME,
                             0, 0, 0, len(stored_name), 0) + stored_name
        self.out.write(header)
        data_at, crc, size, packed_size, blocks = self.out.tell(), 0, 0, 0, []
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            packed = piece if stored else deflate.compress(piece) + deflate.flush(zlib.Z_FULL_FLUSH)
            packed_size += len(packed)
            blocks.append((hashlib.new(self.alg, piece).digest(), None if stored else len(packed)))
            self.out.write(packed)
        if not stored:
            end = deflate.flush(zlib.Z_FINISH)
            packed_size += len(end)
            self.out.write(end)
        if self.wide:
            self.out.write(struct.pack("<IIQQ", 0x08074B50, crc, packed_size, size))
        else:
            self.out.seek(at + 14)
            self.out.write(struct.pack("<III", crc, packed_size, size))
            self.out.seek(0, 2)
        self.central.append((stored_name, flags, 0 if stored else 8, crc, packed_size, size, at))
        if mapped:
            self.mapped.append((name.replace("/", "\\"), size, len(header), blocks))
        return data_at

    def add_bytes(self, name, data, **options):
        return self.add(name, [data[i:i + BLOCK] for i in range(0, len(data), BLOCK)], **options)

    def block_map(self):
        files = []
        for name, size, header, blocks in self.mapped:
            rows = "".join(f'<Block Hash="{base64.b64encode(digest).decode()}"' +
                           (f' Size="{packed}"' if packed is not None else "") + "/>" for digest, packed in blocks)
            files.append(f'<File Name={quoteattr(name)} Size="{size}" LfhSize="{header}">{rows}</File>')
        return ('<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
                '<BlockMap xmlns="http://schemas.microsoft.com/appx/2010/blockmap" '
                f'HashMethod="{METHODS[self.alg]}">' + "".join(files) + "</BlockMap>").encode()

    def finish(self, defaults):
        self.add_bytes("AppxBlockMap.xml", self.block_map(), mapped=False)
        rows = "".join(f'<Default Extension="{ext}" ContentType="{kind}"/>' for ext, kind in defaults)
        self.add_bytes("[Content_Types].xml", TYPES.format(defaults=rows).encode(), mapped=False)
        start = self.out.tell()
        for name, flags, method, crc, packed, size, at in self.central:
            extra = struct.pack("<HHQQQ", 1, 24, size, packed, at) if self.wide else b""
            full = 0xFFFFFFFF
            self.out.write(struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45 if self.wide else 20, flags, method, *TIME,
                                       crc, full if self.wide else packed, full if self.wide else size, len(name),
                                       len(extra), 0, 0, 0, 0, full if self.wide else at) + name + extra)
        end, count = self.out.tell(), len(self.central)
        if self.wide:
            self.out.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, end - start, start))
            self.out.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
            self.out.write(struct.pack("<IHHHHIIH", 0x06054B50, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
        else:
            self.out.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, end - start, start, 0))
        self.out.close()


def make_package(path, alg, publisher, files, wide=False):
    """`files`: (name, bytes or iterable of blocks, stored)."""
    archive = Archive(path, alg, wide)
    for name, data, stored in files:
        if isinstance(data, bytes):
            archive.add_bytes(name, data, stored=stored)
        else:
            archive.add(name, data, stored=stored)
    archive.add_bytes("AppxManifest.xml", MANIFEST.format(publisher=quoteattr(publisher)).encode())
    archive.finish([("exe", "application/x-msdownload"), ("xml", "application/vnd.ms-appx.manifest+xml")])
    return path


def make_bundle(path, alg, publisher, packages):
    """`packages`: (name, bytes)."""
    archive = Archive(path, alg)
    rows = ""
    for name, data in packages:
        at = archive.add_bytes(name, data, stored=True, mapped=False)
        rows += (f'<Package Type="application" Version="1.2.3.0" Architecture="x64" FileName={quoteattr(name)} '
                 f'Offset="{at}" Size="{len(data)}"/>')
    archive.add_bytes("AppxMetadata/AppxBundleManifest.xml",
                      BUNDLE.format(publisher=quoteattr(publisher), packages=rows).encode())
    archive.finish([("msix", "application/vnd.ms-appx"), ("xml", "application/vnd.ms-appx.bundlemanifest+xml")])
    return path
