#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CI examples of docs/scale.md, done: what a release through them makes, and what validators say of the files.

GitLab's is run by gitlab-ci-local. For the others this script does what the service does between the commands: it hands out
shards, and carries artifacts from job to job.
"""
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import re
import shutil
import time

from harness import SIGNCTL, SOURCE, Suite, dev_certificate, node_modules, require, run, signctl, tool

STUB = pathlib.Path("/usr/share/nsis/Plugins/x86-unicode/System.dll")
PAGE = SOURCE / "docs" / "scale.md"
VALIDATE = SOURCE / "tests" / "interop" / "packagers" / "validate.js"
FILES = 7
CONFIG = """version: 1
signers:
  local: {provider: pfx, file: dev.pfx}
sign: {signer: local, timestamp: {servers: ["dev:dev-tsa.pem"]}}
gate: {trust: [signer]}
steps:
  - {name: programs, files: ["dist/**/*.exe"]}
"""


class Page:
    """The examples, and the release that they are to make."""

    def __init__(self, suite, modules):
        self.suite, self.modules = suite, modules
        self.folder = suite.folder
        self.model = dev_certificate(self.folder / "model", key="p256")
        (self.model / "signctl.yaml").write_text(CONFIG)
        self.unsigned = self.folder / "unsigned"
        for i in range(FILES):
            path = self.unsigned / f"d{i % 2}" / f"app{i}.exe"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(STUB.read_bytes() + bytes([i]) * (300 * i))
        tools = self.folder / "bin"
        tools.mkdir()
        (tools / "signctl").symlink_to(SIGNCTL)
        self.environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.folder), "NODE_PATH": str(modules)}

    def example(self, heading):
        """The YAML of a chapter: a file, and what it holds."""
        chapter = re.search(rf"^## {heading}\n.*?(?=^## |\Z)", PAGE.read_text(), re.M | re.S).group()
        file = self.folder / f"{heading.split()[0].lower()}.yml"
        file.write_text(re.search(r"^```yaml\n(.*?)^```", chapter, re.M | re.S).group(1))
        return file, json.loads(require(self.validate("yaml", file)).out)

    def validate(self, kind, file):
        return run("node", VALIDATE, kind, file, env=self.environment)

    def checked(self, kind, file, spoil):
        """What the validator says of the example, and of one that is spoiled."""
        done = self.validate(kind, file)
        self.suite.check(f"{kind}: the example passes the schema", done.returncode == 0, done.out)
        wrong = file.with_name(f"wrong-{file.name}")
        wrong.write_text(file.read_text().replace(*spoil))
        self.suite.check(f"{kind}: and a misspelt one does not", self.validate(kind, wrong).returncode == 1)

    def job(self, name):
        folder = self.folder / name
        shutil.copytree(self.model, folder)
        return folder

    def shell(self, what, command, folder, **more):
        done = run("bash", "-e", "-c", command, cwd=folder, env={**self.environment, **more})
        self.suite.check(f"{what}: {command[:60]}...", done.returncode == 0, done.out)

    def made(self, what, manifest):
        """The release is whole, in one manifest."""
        told = json.loads(manifest.read_text()) if manifest.exists() else {"complete": False, "files": []}
        self.suite.check(f"{what}: the manifest is complete", told["complete"] and len(told["files"]) == FILES
                         and len(told.get("parts", [])) == 4, {key: told[key] for key in told if key != "files"})
        files = [manifest.parent / one["path"] for one in told["files"]]
        done = signctl("verify", "--dev", *files)
        self.suite.check(f"{what}: every file passes the gate", done.returncode == 0, done.out)


def github(page):
    file, workflow = page.example("GitHub Actions")
    page.checked("github-workflow", file, ("runs-on", "run-on"))
    stored = {}

    def do(job, folder, matrix):
        def filled(value):
            return re.sub(r"\$\{\{ *matrix\.(\w+) *\}\}", lambda found: str(matrix[found[1]]), value)
        for step in job["steps"]:
            action, given = step.get("uses", ""), step.get("with", {})
            if "run" in step:
                page.shell("GitHub", filled(step["run"]), folder, GITHUB_RUN_ID="5", GITHUB_JOB=str(matrix))
            elif action.startswith("actions/upload-artifact@"):
                stored[filled(given["name"])] = folder / given["path"]
            elif action.startswith("actions/download-artifact@"):
                for name, place in stored.items():
                    if fnmatch.fnmatch(name, given.get("pattern", given.get("name", ""))):
                        shutil.copytree(place, folder / given["path"], dirs_exist_ok=True)
    stored["unsigned"] = page.unsigned
    for shard in workflow["jobs"]["sign"]["strategy"]["matrix"]["shard"]:
        do(workflow["jobs"]["sign"], page.job(f"github{shard}"), {"shard": shard})
    do(workflow["jobs"]["release"], page.job("github-release"), {})
    page.made("GitHub", page.folder / "github-release" / "signed" / "signctl-manifest.json")
    done = signctl("audit", "verify", "release.jsonl", cwd=page.folder / "github-release")
    page.suite.check("GitHub: the joined log is intact", done.returncode == 0, done.out)


def azure(page):
    _, pipeline = page.example("Azure Pipelines")
    sign, release = pipeline["jobs"]
    stored = {"unsigned": page.unsigned}

    def do(job, folder, variables):
        def filled(value):
            return re.sub(r"\$\(([\w.]+)\)", lambda found: str(variables[found[1]]), value)
        for step in job["steps"]:
            if "script" in step:
                page.shell("Azure", filled(step["script"]), folder, BUILD_BUILDID="8", SYSTEM_JOBID=str(variables))
            elif "publish" in step:
                stored[filled(step["artifact"])] = folder / step["publish"]
            elif step["task"] == "DownloadPipelineArtifact@2":
                inputs = step["inputs"]
                if "artifact" in inputs:
                    shutil.copytree(stored[inputs["artifact"]], folder / inputs["path"])
                    continue
                # Several are put each in a folder of its own.
                for name, place in stored.items():
                    if fnmatch.fnmatch(f"{name}/x", inputs["patterns"]):
                        shutil.copytree(place, folder / inputs["path"] / name)
    total = sign["strategy"]["parallel"]
    for position in range(1, total + 1):
        do(sign, page.job(f"azure{position}"), {"System.JobPositionInPhase": position, "System.TotalJobsInPhase": total})
    page.suite.check("Azure: the second job waits for the first", release["dependsOn"] == sign["job"])
    do(release, page.job("azure-release"), {})
    page.made("Azure", page.folder / "azure-release" / "shards" / "signctl-manifest.json")


def gitlab(page):
    if not tool("rsync", page.suite) or not tool("git", page.suite):
        return
    file, _ = page.example("GitLab")
    folder = page.job("gitlab")
    shutil.copytree(page.unsigned, folder / "dist")
    shutil.copy(file, folder / ".gitlab-ci.yml")
    for command in (["init", "-q", "-b", "main"], ["remote", "add", "origin", "git@gitlab.example:try/try.git"], ["add", "-f", "."],
                    ["-c", "user.name=Try", "-c", "user.email=try@example.com", "commit", "-q", "-m", "Try"]):
        require(run("git", *command, cwd=folder, env=page.environment))
    runner = ["node", page.modules / ".bin" / "gitlab-ci-local", "--no-color", "--shell-executor-no-image"]
    done = run(*runner, cwd=folder, env=page.environment)
    page.suite.check("GitLab: gitlab-ci-local runs the example", done.returncode == 0, done.out)
    page.suite.check("GitLab: in four jobs and one", done.out.count("PASS") == 5, done.out)
    places = sorted(folder.rglob("signctl-manifest.json"))
    page.suite.check("GitLab: there is a release", places, done.out)
    if places:
        page.made("GitLab", places[0])
    (folder / ".gitlab-ci.yml").write_text(file.read_text().replace("script:", "scripts:"))
    done = run(*runner, cwd=folder, env=page.environment)
    page.suite.check("GitLab: a misspelt one is refused", done.returncode != 0, done.out)


def kubernetes(page):
    """The pods of an Indexed Job: at the same time, on one volume."""
    file, job = page.example("Kubernetes")
    page.checked("kubernetes-job", file, ("completions: 4", "completions: four"))
    container = job["spec"]["template"]["spec"]["containers"][0]
    given = {one["name"]: one["value"] for one in container["env"]}
    folder = page.job("kubernetes")
    shutil.copytree(page.unsigned, folder / "dist")

    def pod(index):
        return run(*container["command"], *container["args"], cwd=folder,
                   env={**page.environment, **given, "JOB_COMPLETION_INDEX": str(index)})
    with concurrent.futures.ThreadPoolExecutor(job["spec"]["parallelism"]) as pool:
        pods = list(pool.map(pod, range(job["spec"]["completions"])))
    page.suite.check("Kubernetes: every pod succeeds", all(one.returncode == 0 for one in pods), [one.out for one in pods])
    page.shell("Kubernetes", "signctl merge --check-files --manifest signed/signctl-manifest.json signed/m*.json", folder)
    page.shell("Kubernetes", "signctl verify --manifest signed/signctl-manifest.json signed", folder)
    page.made("Kubernetes", folder / "signed" / "signctl-manifest.json")
    done = pod(1)
    page.suite.check("Kubernetes: a pod that is started anew succeeds", done.returncode == 0, done.out)


def main():
    suite = Suite()
    modules = node_modules("the CI examples", suite)
    if modules:
        page = Page(suite, modules)
        for test in (github, azure, gitlab, kubernetes):
            started = time.monotonic()
            test(page)
            print(f"{test.__name__}: {time.monotonic() - started:.1f} s", flush=True)
    suite.finish()


if __name__ == "__main__":
    main()
