#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.layers: checks every #include below src/ and include/ against the layering of ARCHITECTURE.md.

Usage: layers.py PROJECT-FOLDER [--self-test]. Prints each violation as file:line and exits with 1.
"""
import pathlib
import re
import sys

# folder -> (folders it may include besides itself and core, third-party prefixes it may include)
LAYERS = {
    "core": (set(), {"spdlog", "fmt"}),
    "crypto": (set(), {"openssl"}),
    "net": ({"crypto"}, {"curl"}),
    "cms": ({"crypto"}, {"openssl"}),
    "trust": ({"crypto", "net"}, {"openssl"}),
    "timestamp": ({"crypto", "cms", "net"}, set()),
    "formats": ({"crypto", "cms", "formats/common"}, {"zlib.h", "libdeflate.h", "mspack.h", "libxml"}),
    "providers": ({"crypto", "net", "providers/common"}, {"nlohmann"}),
    "config": (set(), {"nlohmann", "yaml-cpp"}),
    "guard": (set(), set()),
    "plan": (set(), set()),
    "policy": (set(), set()),
    "verify": ({"crypto", "cms", "trust", "timestamp"}, set()),
    "audit": ({"crypto"}, {"nlohmann"}),
    "session": ({"crypto"}, {"nlohmann"}),
    "seal": ({"crypto", "config", "formats/common"}, set()),
    "engine": ({"crypto", "net", "cms", "trust", "timestamp", "config", "guard", "plan", "policy",
                "verify", "audit"}, set()),
    # The command line is the composition root: it also makes what the engine is handed.
    "cli": ({"engine", "config", "plan", "audit", "seal", "session", "crypto", "trust", "timestamp", "net"},
            {"CLI", "nlohmann"}),
}
PLUGIN_AXES = {"formats", "providers"}
THIRD_PARTY = {"openssl", "curl", "nlohmann", "yaml-cpp", "spdlog", "fmt", "CLI", "zlib.h", "libdeflate.h", "mspack.h", "catch2",
               "httplib.h", "libxml"}
# pattern -> files that may contain it
RESTRICTED = [
    (re.compile(r"\b(?:secure_)?getenv\s*\("), re.compile(r"^src/core/env\w*\.cpp$")),
    (re.compile(r"\bstd::exit\s*\(|(?<![\w:.>_])exit\s*\("), re.compile(r"^src/cli/main\.cpp$")),
    (re.compile(r"\b(?:X509|EVP_PKEY|EVP_MD_CTX|EVP_PKEY_CTX|BIO|BN|PKCS12|CMS_ContentInfo)_free\s*\("),
     re.compile(r"^src/crypto/")),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    parts = path.parts
    if parts[0] in PLUGIN_AXES and len(parts) > 2:
        return parts[0], "/".join(parts[:2])
    return parts[0], parts[0]


def check_include(relative, quote, target):
    """The reason why src/<relative> may not include target, or None."""
    layer, unit = folder_of(relative)
    allowed, third_party = LAYERS[layer]
    first = target.split("/")[0]
    if quote == "<":
        if first in THIRD_PARTY and first not in third_party:
            return f"{layer} may not use {first}"
        return None
    target_layer, target_unit = folder_of(pathlib.PurePosixPath(target))
    if target_layer not in LAYERS:
        return f'"{target}" is not below src/'
    if target_unit == unit or target_layer == "core":
        return None
    if target_layer in allowed or target_unit in allowed:
        return None
    return f"{unit} may not include {target_unit}"


def code_of(line):
    return line.split("//")[0]


def check(root):
    violations = []
    for path in sorted((root / "src").rglob("*.[ch]pp")):
        relative = path.relative_to(root / "src")
        name = path.relative_to(root).as_posix()
        if folder_of(relative)[0] not in LAYERS:
            violations.append(f"{name}:1: folder is not in the layering table")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                reason = check_include(relative, *match.groups())
                if reason:
                    violations.append(f"{name}:{number}: {reason}")
            for pattern, home in RESTRICTED:
                if pattern.search(code_of(line)) and not home.match(name):
                    violations.append(f"{name}:{number}: {pattern.pattern} is not allowed here")
    for path in sorted((root / "include").rglob("*.hpp")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and not (match[1] == "<" and match[2].split("/")[0] not in THIRD_PARTY):
                violations.append(f"{path.relative_to(root)}:{number}: contracts use the standard "
                                  "library and each other only")
    return violations


def self_test():
    """A lint that cannot fail is no lint."""
    path = pathlib.PurePosixPath
    assert check_include(path("core/x.cpp"), '"', "crypto/der.hpp")
    assert check_include(path("formats/pe/x.cpp"), '"', "formats/msi/y.hpp")
    assert check_include(path("engine/x.cpp"), "<", "openssl/evp.h")
    assert check_include(path("policy/x.cpp"), '"', "verify/verify.hpp")
    assert not check_include(path("verify/x.cpp"), '"', "cms/signed_data.hpp")
    assert not check_include(path("formats/pe/x.cpp"), '"', "formats/pe/y.hpp")
    assert RESTRICTED[1][0].search("  exit(1);") and not RESTRICTED[1][0].search("x.exit(1);")
    print("layers.py: self-test passed")


def main():
    if "--self-test" in sys.argv:
        self_test()
        return 0
    violations = check(pathlib.Path(sys.argv[1]))
    print("\n".join(violations) or "the layering holds")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
