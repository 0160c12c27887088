#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sign --shard and merge: a release that several jobs sign, and what happens when one of them did not."""
import hashlib
import json
import os
import pathlib
import shutil

from harness import Suite, dev_certificate, require, signctl

STUB = pathlib.Path("/usr/share/nsis/Plugins/x86-unicode/System.dll")
CONFIG = """version: 1
signers:
  local: {provider: pfx, file: dev.pfx}
sign: {signer: local, timestamp: {servers: ["dev:dev-tsa.pem"]}}
gate: {trust: [signer]}
steps:
  - {name: programs, files: ["bin/**/*.exe"]}
  - {name: setup, files: ["setup/*.exe"]}
"""
SHARDS = 3


def project(folder):
    """40 programs from 12 KB to 1 MB, five of them the same, and four installers."""
    for i in range(40):
        path = folder / "bin" / f"d{i % 3}" / f"app{i:02}.exe"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = STUB.read_bytes()
        path.write_bytes(image if i % 8 == 0 else image + bytes([i]) * (700 * i * i))
    (folder / "setup").mkdir()
    for i in range(4):
        (folder / "setup" / f"setup{i}.exe").write_bytes(STUB.read_bytes() + bytes([200 + i]) * 64)
    (folder / "signctl.yaml").write_text(CONFIG)


def at(suite, name, model):
    folder = suite.folder / name
    shutil.copytree(model, folder)
    return folder


def share(folder, index, count=SHARDS, *more):
    document = document_of(require(signctl("plan", "--json", "--shard", f"{index}/{count}", *more, cwd=folder)))
    return [os.path.relpath(one["path"], folder) for one in document["files"]], document


def sign(folder, index, count=SHARDS, *more, env=None):
    return signctl("sign", "--shard", f"{index}/{count}", "--manifest", f"m{index}.json", "--report", f"r{index}.json",
                   "--audit", f"a{index}.jsonl", *more, cwd=folder, env=env)


def dividing(suite, model):
    parts = [share(model, i)[0] for i in range(1, SHARDS + 1)]
    everything = sorted(str(path.relative_to(model)) for path in model.rglob("*.exe"))
    suite.check("the shares are the plan, each file once", sorted(sum(parts, [])) == everything, parts)
    weights = [sum((model / path).stat().st_size for path in part) for part in parts]
    largest = max(path.stat().st_size for path in model.rglob("*.exe"))
    suite.check("they weigh the same, but for one file", max(weights) - min(weights) <= largest, weights)
    by_step = [sum(path.startswith("setup") for path in part) for part in parts]
    suite.check("each step is divided by itself", max(by_step) - min(by_step) <= 1, by_step)
    same = [[path for path in part if (model / path).read_bytes() == STUB.read_bytes()] for part in parts]
    suite.check("the same bytes are in one share", sorted(map(len, same)) == [0, 0, 5], same)
    elsewhere = at(suite, "another place", model)
    suite.check("another place makes the same shares", [share(elsewhere, i)[0] for i in range(1, SHARDS + 1)] == parts)
    hashes = {share(folder, i)[1]["shard"]["plan_sha256"] for folder in (model, elsewhere) for i in (1, 2)}
    suite.check("and the same plan", len(hashes) == 1, hashes)
    only = share(model, 1, 2, "--step", "setup")[0]
    suite.check("one step alone can be divided", len(only) == 2 and all(path.startswith("setup") for path in only), only)
    for wrong in ("0/3", "4/3", "1", "a/b", "1/0", "1/2/3", "-1/2", "1/1001"):
        done = signctl("plan", "--shard", wrong, cwd=model)
        suite.check(f"--shard {wrong} is exit code 2", done.returncode == 2 and "I/N" in done.out, done.out)


def release(suite, model):
    """Each shard in a copy of its own, as jobs of a matrix are; then all in one folder."""
    total = suite.folder / "upload"
    total.mkdir()
    shutil.copy(model / "dev.pem", total)
    shutil.copy(model / "signctl.yaml", total)
    shutil.copy(model / "dev.pfx", total)
    for index in range(1, SHARDS + 1):
        job = at(suite, f"job{index}", model)
        done = sign(job, index)
        suite.check(f"shard {index} signs its share", require(done).returncode == 0, done.out)
        for path in share(model, index)[0] + [f"m{index}.json", f"r{index}.json", f"a{index}.jsonl"]:
            (total / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(job / path, total / path)
        alone = signctl("verify", "--manifest", f"m{index}.json", cwd=job)
        suite.check("a shard's manifest proves the shard; what others sign is not added", alone.returncode == 0, alone.out)
    return total


def document_of(done):
    """The JSON among what both streams said."""
    return json.JSONDecoder().raw_decode(done.out[done.out.index("{\n"):])[0]


def merge(folder, *inputs, more=()):
    return signctl("merge", "--json", "--manifest", "manifest.json", *more, *inputs, cwd=folder)


def merging(suite, total):
    manifests = [f"m{i}.json" for i in range(1, SHARDS + 1)]
    done = merge(total, *reversed(manifests), "r1.json", "r2.json", "r3.json", "a1.jsonl", "a2.jsonl", "a3.jsonl",
                 more=["--report", "report.json", "--audit", "release.jsonl"])
    suite.check("what all shards wrote is joined", done.returncode == 0, done.out)
    document = document_of(done)
    suite.check("merge says so", document["complete"] and document["files"] == 44 and document["missing"] == [], document)
    manifest = json.loads((total / "manifest.json").read_text())
    suite.check("the manifest is whole", manifest["complete"] and len(manifest["files"]) == 44 and len(manifest["parts"]) == SHARDS
                and "shard" not in manifest, manifest["run"])
    suite.check("in the order of the plan", [one["step"] for one in manifest["files"]] == ["programs"] * 40 + ["setup"] * 4)
    suite.check("with the digests of the files", all(
        one["after"]["sha256"] == hashlib.sha256((total / one["path"]).read_bytes()).hexdigest() for one in manifest["files"]))
    report = json.loads((total / "report.json").read_text())
    suite.check("the report has every file", report["planned"] == 44 == report["signed"] + report["skipped"]
                and len(report["files"]) == 44 and report["exit_code"] == 0, {k: v for k, v in report.items() if k != "files"})
    done = signctl("audit", "verify", "release.jsonl", cwd=total)
    suite.check("the joined log is intact", done.returncode == 0, done.out)
    records = [json.loads(line) for line in (total / "release.jsonl").read_text().splitlines()]
    lines = [line for i in range(1, SHARDS + 1) for line in (total / f"a{i}.jsonl").read_text().splitlines()]
    suite.check("and holds each line of each log", [one["line_sha256"] for one in records if "line_sha256" in one]
                == [hashlib.sha256(line.encode()).hexdigest() for line in lines], len(records))
    before = (total / "release.jsonl").read_bytes()
    again = signctl("merge", "--audit", "release.jsonl", "a1.jsonl", "a2.jsonl", cwd=total)
    suite.check("joining logs once more adds nothing", again.returncode == 0 and (total / "release.jsonl").read_bytes() == before, again.out)

    for name in ("report.xml", "report.html", "report.md"):
        done = signctl("merge", "--report", name, "r1.json", "r2.json", "r3.json", cwd=total)
        text = (total / name).read_text() if done.returncode == 0 else ""
        suite.check(f"{name} names every file", done.returncode == 0 and all(
            pathlib.Path(one["path"]).name in text for one in report["files"]), done.out)

    done = signctl("verify", "--manifest", "manifest.json", "bin", "setup", cwd=total)
    suite.check("the upload is proved by the joined manifest", done.returncode == 0, done.out)
    victim = total / manifest["files"][0]["path"]
    image = victim.read_bytes()
    victim.write_bytes(image + b"x")
    done = signctl("verify", "--manifest", "manifest.json", "bin", "setup", cwd=total)
    suite.check("a changed file is found", done.returncode == 1 and "manifest-changed" in done.out, done.out)
    victim.write_bytes(image)


def elsewhere(suite, total):
    """Manifests that lie in folders of their own, beside their files."""
    outer = suite.folder / "shards"
    for index in range(1, SHARDS + 1):
        folder = outer / str(index)
        manifest = json.loads((total / f"m{index}.json").read_text())
        for one in manifest["files"]:
            (folder / one["path"]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(total / one["path"], folder / one["path"])
        shutil.copy(total / f"m{index}.json", folder / "manifest.json")
    done = merge(outer, "1/manifest.json", "2/manifest.json", "3/manifest.json")
    suite.check("manifests in folders of their own are joined", done.returncode == 0, done.out)
    shutil.copy(total / "signctl.yaml", outer)
    done = signctl("verify", "--manifest", "manifest.json", "1/bin", "2/bin", "3/bin", "1/setup", "2/setup", "3/setup", cwd=outer)
    suite.check("and their files proved", done.returncode == 0, done.out)


def what_is_wrong(suite, model, total):
    done = merge(total, "m1.json", "m3.json")
    gone = document_of(done)
    absent = json.loads((total / "m2.json").read_text())["files"]
    suite.check("a shard that is missing is exit code 1", done.returncode == 1 and not gone["complete"], done.out)
    suite.check("its files are named", all(any(one["path"] in line for line in gone["missing"]) for one in absent)
                and any("shard 2 of 3" in line for line in gone["missing"]), gone)
    manifest = json.loads((total / "manifest.json").read_text())
    suite.check("and the manifest says that it is incomplete", manifest["complete"] is False)
    done = signctl("verify", "--manifest", "manifest.json", cwd=total)
    suite.check("so that it proves nothing", done.returncode == 1 and "manifest-incomplete" in done.out, done.out)

    def refused(what, words, *inputs, code=4, more=()):
        before = (total / "manifest.json").read_bytes()
        done = merge(total, *inputs, more=more)
        suite.check(f"{what}: exit code {code}", done.returncode == code and words in done.out, done.out)
        after = (total / "manifest.json").read_bytes()
        suite.check(f"{what}: no manifest speaks for it", after == before or json.loads(after)["complete"] is False)

    refused("a shard twice", "both shard 1 of 3", "m1.json", "m1.json", "m2.json")
    refused("what is no manifest", "neither a manifest", "m1.json", "dev.pem")
    refused("a report without a place to go", "--report", "m1.json", "r1.json", code=2)
    other = at(suite, "other files", model)
    (other / "bin" / "more.exe").write_bytes(STUB.read_bytes() + b"more")
    require(sign(other, 2))
    shutil.copy(other / "m2.json", total / "other.json")
    refused("a shard of another plan", "planned different files", "m1.json", "other.json", "m3.json")
    config = at(suite, "other config", model)
    (config / "signctl.yaml").write_text(CONFIG + "# changed\n")
    require(sign(config, 2))
    shutil.copy(config / "m2.json", total / "other.json")
    refused("a shard with another config", "two configs", "m1.json", "other.json", "m3.json")
    late = at(suite, "another build", model)
    require(sign(late, 2, env={"GITHUB_RUN_ID": "2"}))
    shutil.copy(late / "m2.json", total / "other.json")
    refused("a shard left over from another build", "two builds", "m1.json", "other.json", "m3.json")
    two = at(suite, "two shards", model)
    require(sign(two, 2, 2))
    shutil.copy(two / "m2.json", total / "other.json")
    refused("a shard of another number", "shards there", "m1.json", "other.json", "m3.json")
    whole = at(suite, "whole", model)
    require(signctl("sign", "--manifest", "m.json", cwd=whole))
    shutil.copy(whole / "m.json", total / "other.json")
    refused("a whole run", "not of a shard", "m1.json", "other.json")
    lying = json.loads((total / "m2.json").read_text())
    dropped = lying["files"].pop()
    (total / "other.json").write_text(json.dumps(lying))
    refused("a manifest that lost a file", "not those that shard.plan gives", "m1.json", "other.json", "m3.json")
    log = (total / "a1.jsonl").read_text().splitlines(True)
    (total / "other.jsonl").write_text("".join(log[:1] + log[2:]))
    done = signctl("merge", "--audit", "fresh.jsonl", "other.jsonl", cwd=total)
    suite.check("a log that lost a line is refused", done.returncode == 4 and "not intact" in done.out
                and not (total / "fresh.jsonl").exists(), (dropped["path"], done.out))

    failing = at(suite, "failing", model)
    victim = share(model, 2)[0][0]
    size = (failing / victim).stat().st_size
    (failing / victim).write_bytes((b"MZ" + bytes(range(256)) * (size // 256 + 1))[:size])
    done = sign(failing, 2, SHARDS, "--keep-going")
    suite.check("a shard with a bad file fails", done.returncode != 0, done.out)
    shutil.copy(failing / "m2.json", total / "other.json")
    done = merge(total, "m1.json", "other.json", "m3.json")
    suite.check("and so does the merge, naming the file", done.returncode == 1 and victim in done.out, done.out)


def left_over(suite, model):
    """The manifests of two runs over inputs of the same names and sizes."""
    ids = [{"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": attempt, "GITHUB_JOB": job} for attempt, job in (("1", "a"), ("2", "b"))]
    jobs = [at(suite, f"build {i}", model) for i in (1, 2)]
    for i, job in enumerate(jobs):
        require(sign(job, i + 1, 2, env=ids[i]))
    outer = suite.folder / "build"
    outer.mkdir()
    for i, job in enumerate(jobs):
        shutil.copytree(job, outer / str(i + 1))
    done = merge(outer, "1/m1.json", "2/m2.json")
    suite.check("a job that was run again is of the same build", done.returncode == 0, done.out)

    done = merge(outer, "1/m1.json", "2/m2.json", more=["--check-files"])
    suite.check("files that are as they were signed pass --check-files", done.returncode == 0, done.out)
    manifest = json.loads((outer / "manifest.json").read_text())
    changed, gone = [one["path"] for one in manifest["files"] if one["path"].startswith("2/")][:2]
    shutil.copyfile(STUB, outer / changed)
    (outer / gone).unlink()
    done = merge(outer, "1/m1.json", "2/m2.json")
    suite.check("without --check-files merge does not look at them", done.returncode == 0, done.out)
    done = merge(outer, "1/m1.json", "2/m2.json", more=["--check-files"])
    missing = document_of(done)["missing"]
    suite.check("with it a file that is older or gone is exit code 1", done.returncode == 1 and len(missing) == 2
                and any(changed in line for line in missing) and any(gone in line for line in missing), done.out)
    suite.check("and the manifest is incomplete", json.loads((outer / "manifest.json").read_text())["complete"] is False)

    failed = signctl("sign", "bin/absent*.exe", "--shard", "1/2", "--manifest", "m1.json", cwd=jobs[0], env=ids[0])
    suite.check("a shard that knows no files fails", failed.returncode == 4, failed.out)
    shutil.copy(jobs[0] / "m1.json", outer / "1" / "m1.json")
    done = merge(outer, "1/m1.json", "2/m2.json")
    suite.check("merge says that it ended before it knew its files", done.returncode == 4
                and "before it knew its files" in done.out, done.out)
    for i in range(2):
        job = at(suite, f"no login {i}", model)
        (job / "signctl.yaml").write_text(CONFIG.replace("dev.pfx", "absent.pfx"))
        failed = sign(job, i + 1, 2, env=ids[i])
        suite.check("a shard that cannot log in fails", failed.returncode != 0, failed.out)
        for name in (f"m{i + 1}.json", f"r{i + 1}.json"):
            shutil.copy(job / name, outer / str(i + 1) / name)
    done = merge(outer, "1/m1.json", "2/m2.json", "1/r1.json", "2/r2.json", more=["--report", "report.html"])
    suite.check("shards that could not log in are joined, and say why", done.returncode == 1 and "absent.pfx" in done.out, done.out)
    suite.check("in the joined report too", "absent.pfx" in (outer / "report.html").read_text())


def parts_missing(suite, total):
    """Reports and logs are asked for as manifests are: of every shard, of one release."""
    def merged(what, code, words, *arguments):
        done = signctl("merge", *arguments, cwd=total)
        suite.check(f"{what}: exit code {code}", done.returncode == code and words in done.out, done.out)
    manifests = ["m1.json", "m2.json", "m3.json"]
    merged("two of three reports", 1, "the report of shard 3 of 3", "--report", "part.json", "r1.json", "r2.json")
    report = json.loads((total / "part.json").read_text())
    suite.check("the joined report says so", report["exit_code"] == 1 and "shard 3" in str(report["errors"]), report.get("errors"))
    merged("two of three logs", 1, "the audit log of shard 3 of 3", "--audit", "part.jsonl", "a1.jsonl", "a2.jsonl")
    merged("and with the third one", 0, "joined", "--audit", "part.jsonl", "a3.jsonl")
    merged("all manifests and one report", 1, "the report of shard 2 of 3", "--manifest", "part-m.json", "--report", "part.json",
           *manifests, "r1.json")
    suite.check("the joined manifest is incomplete", json.loads((total / "part-m.json").read_text())["complete"] is False)
    merged("all manifests and one log", 1, "the audit log of shard 2 of 3", "--manifest", "part-m.json", "--audit", "part2.jsonl",
           *manifests, "a1.jsonl")
    merged("a report twice", 4, "both shard 1 of 3", "--report", "part.json", "r1.json", "r1.json", "r2.json", "r3.json")
    other = json.loads((total / "r2.json").read_text())
    other["run"]["build_sha256"] = "0" * 64
    (total / "other-r.json").write_text(json.dumps(other))
    merged("a report of another build", 4, "two builds", "--report", "part.json", "r1.json", "other-r.json", "r3.json")
    del other["shard"]
    (total / "other-r.json").write_text(json.dumps(other))
    merged("a report of no shard", 4, "not of a shard", "--report", "part.json", "r1.json", "other-r.json", "r3.json")
    killed = (total / "a2.jsonl").read_text().splitlines(True)[:-1]
    (total / "killed.jsonl").write_text("".join(killed))
    logs = ["a1.jsonl", "killed.jsonl", "a3.jsonl"]
    merged("the log of a killed shard", 4, "has no end", "--audit", "part3.jsonl", *logs)
    suite.check("nothing is joined", not (total / "part3.jsonl").exists())
    merged("which a later run made up for", 0, "joined", "--audit", "part3.jsonl", *logs, "a2.jsonl")


def steps(suite, model):
    """The installers are made from the programs that were signed: each step has shards of its own."""
    jobs = at(suite, "steps", model)
    names = {"programs": [1, 2, 3], "setup": [1, 2]}
    for step, shards in names.items():
        for index in shards:
            require(signctl("sign", "--step", step, "--shard", f"{index}/{len(shards)}", "--output-dir", "out", "--manifest",
                            f"out/{step}{index}.json", "--report", f"out/{step}{index}-r.json", cwd=jobs))
    out = jobs / "out"
    manifests = [f"{step}{index}.json" for step in ("setup", "programs") for index in names[step]]
    done = merge(out, *manifests, *(name.replace(".json", "-r.json") for name in manifests), more=["--report", "report.json"])
    suite.check("the shards of two steps are one release", done.returncode == 0, done.out)
    manifest = json.loads((out / "manifest.json").read_text())
    suite.check("with all files, in the order that they were signed", manifest["complete"] and len(manifest["parts"]) == 5
                and {one["step"] for one in manifest["files"]} == set(names) and len(manifest["files"]) == 44, manifest["run"])
    shutil.copy(jobs / "signctl.yaml", out)
    shutil.copy(jobs / "dev.pfx", out)
    done = signctl("verify", "--dev", "--manifest", "manifest.json", ".", "!dev.pfx", "!*-r.json", "!report.json", cwd=out)
    suite.check("which verify proves", done.returncode == 0, done.out)
    done = merge(out, *(name for name in manifests if name != "setup2.json"))
    suite.check("a shard of one step that is missing is exit code 1", done.returncode == 1
                and "shard 2 of 2 (setup)" in done.out, done.out)


def empty_share(suite, model):
    folder = at(suite, "few", model)
    shutil.rmtree(folder / "bin" / "d1")
    shutil.rmtree(folder / "bin" / "d2")
    done = signctl("sign", "--step", "setup", "--shard", "5/5", "--manifest", "m5.json", "--report", "r5.json", cwd=folder,
                   env={"PATH": os.environ["PATH"]})
    suite.check("an empty share is done, and written down", done.returncode == 0
                and json.loads((folder / "m5.json").read_text())["complete"], done.out)
    (folder / "signctl.yaml").write_text(CONFIG.replace("dev.pfx", "absent.pfx"))
    done = signctl("sign", "--step", "setup", "--shard", "5/5", cwd=folder)
    suite.check("without a login", done.returncode == 0, done.out)


def main():
    suite = Suite()
    model = dev_certificate(suite.folder / "model", key="p256")
    project(model)
    dividing(suite, model)
    total = release(suite, model)
    merging(suite, total)
    parts_missing(suite, total)
    steps(suite, model)
    elsewhere(suite, total)
    what_is_wrong(suite, model, total)
    left_over(suite, model)
    empty_share(suite, model)
    suite.finish()


if __name__ == "__main__":
    main()
