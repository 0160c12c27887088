#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files inside files: containers made by independent tools (gcab, wixl, Python's zipfile), with signed and unsigned
programs in them."""
import json
import shutil
import zipfile

from harness import Suite, dev_certificate, require, run, sign_arguments, signctl, tool, unsigned_files


def known_formats():
    return {one["name"] for one in json.loads(require(signctl("formats", "--json")).stdout)["formats"]}


def cabinet(path, *files):
    require(run("gcab", "--create", "--zip", "--nopath", path, *files))
    return path


def installer(path, folder, *files, key="{}"):
    """`key` is what a file is called in the cabinet."""
    rows = "".join(f'<Component Id="c{i}" Guid="*">'
                   f'<File Id="{key.format(file.name)}" Source="{file.name}" KeyPath="yes"/></Component>'
                   for i, file in enumerate(files))
    source = folder / "app.wxs"
    source.write_text(f"""<?xml version="1.0"?><Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="*" Name="App" Language="1033" Version="1.0.0" Manufacturer="Interop"
 UpgradeCode="12345678-1234-1234-1234-123456789012"><Package Compressed="yes"/>
<Media Id="1" Cabinet="app.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="D" Name="App">{rows}</Directory></Directory>
<Feature Id="F" Level="1">{''.join(f'<ComponentRef Id="c{i}"/>' for i in range(len(files)))}</Feature>
</Product></Wix>""")
    require(run("wixl", "-o", path, source.name, cwd=folder))
    return path


def check_installer_scripts(suite, folder, dev):
    """In an installer cabinets have keys for names, and scripts of custom actions are streams: the tables tell."""
    script, action = folder / "tool.ps1", folder / "act.vbs"

    def make(name):
        path = installer(folder / name, folder, script, key="key")
        tables = {"CustomAction": "Action\tType\tSource\tTarget\ns72\ti2\tS72\tS255\nCustomAction\tAction\n"
                                  "Run\t6\tAct\tMain\n",
                  "Binary": "Name\tData\ns72\tv0\nBinary\tName\nAct\tAct\n"}
        (folder / "Binary").mkdir(exist_ok=True)
        shutil.copyfile(action, folder / "Binary" / "Act")
        for table, text in tables.items():
            (folder / f"{table}.idt").write_text(text)
            require(run("msibuild", path, "-i", f"{table}.idt", cwd=folder))
        require(signctl("sign", "--no-timestamp", *sign_arguments(dev), path))
        return path

    script.write_bytes(b"'tool'\r\n")
    action.write_bytes(b"x = 1\r\n")
    done = verify(make("bare.msi"), "--deep")
    suite.check("msi: scripts inside that are not signed are named", sorted(objections(done)) ==
                [("unsigned", "Binary.Act.vbs"), ("unsigned", "app.cab/tool.ps1")], done.out)
    require(signctl("sign", "--no-timestamp", *sign_arguments(dev), script, action))
    done = signctl("verify", "--dev", "--timestamp", "optional", "--deep", make("signed.msi"))
    suite.check("msi: signed scripts inside pass",
                done.returncode == 0 and "3 files of known types, 2 signed" in done.out, done.out)


def archive(path, *files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.write(file, file.name)
    return path


def verify(path, *more):
    return signctl("verify", "--dev", "--timestamp", "optional", "--json", *more, path)


def objections(done):
    verdict = json.loads(done.stdout[:done.stdout.rindex(b"}") + 1])["files"][0]["verdict"]
    return [(one["id"], one["subject"]) for one in verdict["findings"] if one["severity"] == "error"]


def check_container(suite, label, make, dev, good, bad, tampered, sign_first):
    """`make(name, *files)` packs files; `sign_first`: the container carries a signature of its own."""
    path = make("good", good)
    if sign_first:
        require(signctl("sign", "--no-timestamp", *sign_arguments(dev), path))
    done = verify(path, "--deep")
    suite.check(f"{label}: signed contents pass", done.returncode == 0, done.out)

    path = make("bad", good, bad)
    if sign_first:
        require(signctl("sign", "--no-timestamp", *sign_arguments(dev), path))
        done = verify(path)
        suite.check(f"{label}: nobody looks without --deep", done.returncode == 0, done.out)
    done = verify(path, "--deep")
    found = objections(done) if done.returncode == 1 else done.out
    suite.check(f"{label}: unsigned contents are named",
                len(found) == 1 and found[0][0] == "unsigned" and found[0][1].endswith(bad.name), found)

    path = make("tampered", tampered)
    if sign_first:
        require(signctl("sign", "--no-timestamp", *sign_arguments(dev), path))
    done = verify(path, "--deep")
    found = objections(done) if done.returncode == 1 else done.out
    suite.check(f"{label}: changed contents are named",
                len(found) == 1 and found[0][0] == "digest-mismatch" and tampered.name in found[0][1], found)


def check_refusals(suite, label, path, dev, bad):
    """A package with unsigned contents is not signed when the rules say so, and plan warns of it."""
    before = path.read_bytes()
    config = path.parent / f"{label}.yaml"
    config.write_text("version: 1\ngate:\n  nested: require-signed\n")
    done = signctl("sign", "-c", config, "--no-timestamp", *sign_arguments(dev), path)
    suite.check(f"{label}: gate.nested refuses to sign it", done.returncode == 1 and bad.name in done.out, done.out)
    suite.check(f"{label}: and leaves it as it was", path.read_bytes() == before)
    done = signctl("sign", "--deep", "--no-timestamp", *sign_arguments(dev), path)
    suite.check(f"{label}: --deep cannot pack it anew", done.returncode == 5 and bad.name in done.out, done.out)
    done = signctl("plan", "--no-timestamp", *sign_arguments(dev), path, bad)
    suite.check(f"{label}: plan warns, and names the loose file",
                done.returncode == 0 and "is not signed" in done.out and "pack it after that" in done.out, done.out)


def check_archive(suite, folder, dev, good, bad):
    path = archive(folder / "deep.zip", good, bad)
    before = path.read_bytes()
    done = signctl("sign", "--no-timestamp", *sign_arguments(dev), path)
    suite.check("zip: it is not signed itself",
                done.returncode == 5 and "--deep" in done.out and path.read_bytes() == before, done.out)
    done = signctl("sign", "--deep", "--no-timestamp", *sign_arguments(dev), path)
    suite.check("zip: --deep signs what is inside", done.returncode == 0, done.out)
    done = verify(path, "--deep")
    suite.check("zip: and then it passes", done.returncode == 0, done.out)
    with zipfile.ZipFile(path) as packed:
        suite.check("zip: Python reads what was packed anew", packed.testzip() is None)
        suite.check("zip: what was signed keeps its bytes", packed.read(good.name) == good.read_bytes())


def check_packages(suite, folder, dev, good):
    """A package inside an archive has to be signed itself; an archive that is only called so is refused."""
    package = folder / "inside.nupkg"
    with zipfile.ZipFile(package, "w") as packed:
        packed.write(good, good.name)
        for name in ("x.nuspec", "[Content_Types].xml"):
            packed.writestr(name, "<x/>")
    outer = archive(folder / "outer-nupkg.zip", package)
    done = verify(outer, "--deep")
    found = objections(done) if done.returncode == 1 else done.out
    suite.check("nupkg: unsigned it does not pass inside an archive", found == [("unsigned", package.name)], found)
    done = signctl("sign", "--deep", "--no-timestamp", *sign_arguments(dev), outer)
    suite.check("nupkg: sign --deep signs it inside an archive", done.returncode == 0, done.out)
    done = verify(outer, "--deep")
    suite.check("nupkg: and then it passes", done.returncode == 0, done.out)
    for kind in ("nupkg", "snupkg", "msix", "vsix"):
        named = archive(folder / f"named.{kind}", good)
        before = named.read_bytes()
        for words in (["verify"], ["verify", "--deep"], ["sign", "--no-timestamp", *sign_arguments(dev)],
                      ["sign", "--deep", "--no-timestamp", *sign_arguments(dev)]):
            done = signctl(*words, named)
            suite.check(f"{kind}: {' '.join(map(str, words[:2]))} of an archive that is only called so is refused",
                        done.returncode == 4 and named.read_bytes() == before, done.out)


def main():
    suite = Suite()
    folder = suite.folder
    dev = dev_certificate(folder / "dev")
    found = unsigned_files(suite)
    if not found:
        suite.finish()
        return
    bad = folder / "plain.exe"
    good = folder / "signed.exe"
    tampered = folder / "tampered.exe"
    shutil.copyfile(found[0][1], bad)
    shutil.copyfile(found[0][1], good)
    require(signctl("sign", "--no-timestamp", *sign_arguments(dev), good))
    data = bytearray(good.read_bytes())
    data[len(data) // 2] ^= 0xFF
    tampered.write_bytes(data)
    known = known_formats()

    if "cab" in known and tool("gcab", suite):
        check_container(suite, "cab", lambda name, *files: cabinet(folder / f"{name}.cab", *files),
                        dev, good, bad, tampered, True)
        check_refusals(suite, "cab", cabinet(folder / "refused.cab", good, bad), dev, bad)
    if "msi" in known and tool("wixl", suite):
        check_container(suite, "msi", lambda name, *files: installer(folder / f"{name}.msi", folder, *files),
                        dev, good, bad, tampered, True)
        check_refusals(suite, "msi", installer(folder / "refused.msi", folder, good, bad), dev, bad)
        if tool("msibuild", suite):
            check_installer_scripts(suite, folder, dev)
    if "zip" in known:
        check_container(suite, "zip", lambda name, *files: archive(folder / f"{name}.zip", *files),
                        dev, good, bad, tampered, False)
        check_archive(suite, folder, dev, good, bad)
        check_packages(suite, folder, dev, good)
    suite.finish()


if __name__ == "__main__":
    main()
