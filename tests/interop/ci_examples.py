#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The CI examples of docs/scale.md, done: what a release through them makes and pays for, and what validators say of the files.

GitLab's is run by gitlab-ci-local. For the others this script does what the service does between the commands: it hands out
shards, variables and identity tokens, and carries artifacts and caches from job to job and from attempt to attempt.
"""
import concurrent.futures
import fnmatch
import re
import shutil
import time

from ci_page import AZURE_TOKEN, DOOMED_SHARD, GITHUB_TOKEN, VARIABLES, Page
from fake_services import FakeServices
from harness import Suite, node_modules, require, run, signctl, tool


def filled(value, pattern, names):
    """`value` with its variables in place."""
    return re.sub(pattern, lambda found: str(names[found[1]]), value)


class Github:
    def __init__(self, page, workflow):
        self.page, self.workflow = page, workflow
        self.artifacts = {"unsigned": page.unsigned}
        self.caches = {}

    def filled(self, value, shard, attempt):
        names = {"matrix.shard": shard, "github.run_id": 5, "github.run_attempt": attempt,
                 **{f"vars.{name}": value for name, value in VARIABLES.items()}}
        return filled(value, r"\$\{\{ *([\w.]+) *\}\}", names)

    def attempt(self, name, shard, attempt):
        """Whether the job succeeded. Like the runner it goes on after a failure with the steps that are always done."""
        job = self.workflow["jobs"][name]
        folder = self.page.job(f"github-{name}{shard}-{attempt}")
        login = {}
        if job.get("permissions", {}).get("id-token") == "write":
            login = {"ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.page.fakes.url}/entra/github/token?api-version=2.0",
                     "ACTIONS_ID_TOKEN_REQUEST_TOKEN": GITHUB_TOKEN}
        good = True
        for step in job["steps"]:
            if not good and step.get("if") != "always()":
                continue
            if "run" in step:
                given = {key: self.filled(value, shard, attempt) for key, value in step.get("env", {}).items()}
                good &= self.page.shell("GitHub", self.filled(step["run"], shard, attempt), folder, GITHUB_RUN_ID="5",
                                        GITHUB_JOB=f"{name}{shard}", **given, **login)
            else:
                given = {key: self.filled(str(value), shard, attempt) for key, value in step.get("with", {}).items()}
                self.use(step["uses"].split("@")[0], given, folder)
        return good

    def use(self, action, given, folder):
        place = folder / given.get("path", "")
        if action == "actions/upload-artifact":
            taken = given["name"] in self.artifacts and given.get("overwrite") != "True"
            self.page.suite.check(f"GitHub: the name {given['name']} is free", not taken)
            self.artifacts[given["name"]] = place
        elif action == "actions/download-artifact":
            for name, stored in self.artifacts.items():
                if fnmatch.fnmatch(name, given.get("pattern", given.get("name", ""))):
                    shutil.copytree(stored, place, dirs_exist_ok=True)
        elif action == "actions/cache/save" and place.exists():
            # What has a key keeps it: a second one is not saved.
            self.caches.setdefault(given["key"], place)
        elif action == "actions/cache/restore":
            found = [key for key in self.caches if key == given["key"] or key.startswith(given["restore-keys"])]
            if found:
                shutil.copytree(self.caches[found[-1]], place)


def github(page):
    file, workflow = page.example("GitHub Actions")
    page.checked("github-workflow", file, ("runs-on", "run-on"))
    service = Github(page, workflow)
    page.attempts("GitHub", workflow["jobs"]["sign"]["strategy"]["matrix"]["shard"],
                  lambda shard, number: service.attempt("sign", shard, number))
    service.attempt("release", "", 1)
    folder = page.folder / "github-release-1"
    page.made("GitHub", folder / "signed" / "signctl-manifest.json")
    done = signctl("audit", "verify", "release.jsonl", cwd=folder)
    page.suite.check("GitHub: the joined log is intact", done.returncode == 0, done.out)


class Azure:
    CONDITIONS = {None: lambda good, _: good, "always()": lambda *_: True,
                  "and(succeeded(), ne(variables['System.JobAttempt'], '1'))": lambda good, attempt: good and attempt != 1}

    def __init__(self, page):
        self.page = page
        self.artifacts = {"unsigned": page.unsigned}

    def attempt(self, job, position, attempt):
        """Whether the job succeeded."""
        folder = self.page.job(f"azure-{job['job']}{position}-{attempt}")
        names = {"System.JobPositionInPhase": position, "System.TotalJobsInPhase": job.get("strategy", {}).get("parallel", 1),
                 "System.JobAttempt": attempt, "System.AccessToken": AZURE_TOKEN, **VARIABLES}
        good = True
        for step in job["steps"]:
            if self.CONDITIONS[step.get("condition")](good, attempt):
                done = self.do(step, folder, lambda value: filled(value, r"\$\(([\w.]+)\)", names))
                good &= done or step.get("continueOnError", False)
        return good

    def do(self, step, folder, fill):
        inputs = step.get("inputs", {})
        script = inputs.get("inlineScript", step.get("script"))
        if script:
            given = {name: fill(value) for name, value in step.get("env", {}).items()}
            return self.page.shell("Azure", fill(script), folder, BUILD_BUILDID="8", SYSTEM_JOBID=folder.name,
                                   SYSTEM_OIDCREQUESTURI=f"{self.page.fakes.url}/entra/ado/token", **given)
        if "publish" in step:
            name = fill(step["artifact"])
            self.page.suite.check(f"Azure: the name {name} is free", name not in self.artifacts or name.startswith("signed-"))
            self.artifacts[name] = folder / step["publish"]
        elif "artifact" in inputs:
            shutil.copytree(self.artifacts[inputs["artifact"]], folder / inputs["path"])
        else:
            # Several are put each in a folder of its own.
            for name, place in self.artifacts.items():
                if fnmatch.fnmatch(f"{name}/x", fill(inputs["patterns"])):
                    shutil.copytree(place, folder / inputs["path"] / name)
        return True


def azure(page):
    _, pipeline = page.example("Azure Pipelines")
    sign, release = pipeline["jobs"]
    service = Azure(page)
    page.attempts("Azure", range(1, sign["strategy"]["parallel"] + 1), lambda *given: service.attempt(sign, *given))
    page.suite.check("Azure: the second job waits for the first", release["dependsOn"] == sign["job"])
    service.attempt(release, "", 1)
    page.made("Azure", page.folder / "azure-release-1" / "shards" / "signctl-manifest.json")


def identity_token(page):
    """What GitLab gives to a job that asks for `id_tokens`."""
    done = require(run("curl", "-sSf", "-H", f"Authorization: bearer {GITHUB_TOKEN}",
                       f"{page.fakes.url}/entra/github/token?api-version=2.0&audience=api://AzureADTokenExchange"))
    return re.search(r'"value": *"([^"]+)"', done.out)[1]


def gitlab(page):
    if not tool("rsync", page.suite) or not tool("git", page.suite) or not tool("curl", page.suite):
        return
    file, pipeline = page.example("GitLab")
    folder = page.job("gitlab", "\n    federated_token: env:AZURE_ID_TOKEN")
    shutil.copytree(page.unsigned, folder / "dist")
    shutil.copy(file, folder / ".gitlab-ci.yml")
    for command in (["init", "-q", "-b", "main"], ["remote", "add", "origin", "git@gitlab.example:try/try.git"], ["add", "-f", "."],
                    ["-c", "user.name=Try", "-c", "user.email=try@example.com", "commit", "-q", "-m", "Try"]):
        require(run("git", *command, cwd=folder, env=page.environment))
    runner = ["node", page.modules / ".bin" / "gitlab-ci-local", "--no-color", "--shell-isolation"]
    variables = dict(VARIABLES)
    for name, wanted in pipeline["sign"]["id_tokens"].items():
        page.suite.check("GitLab: the token is one for Azure", wanted == {"aud": "api://AzureADTokenExchange"})
        variables[name] = identity_token(page)

    def pipeline_run(*jobs):
        # It counts the pipelines here; a job that is retried is one of the same.
        (folder / ".gitlab-ci-local" / "state.yml").unlink(missing_ok=True)
        return run(*runner, *jobs, cwd=folder, env={**page.environment, **variables})

    with page.doom("GitLab"):
        done = pipeline_run(f"sign: [{DOOMED_SHARD}/4]")
        page.suite.check("GitLab: a job that is killed fails", done.returncode != 0, done.out)
    done = pipeline_run()
    page.suite.check("GitLab: gitlab-ci-local runs the example", done.returncode == 0, done.out)
    page.suite.check("GitLab: in four jobs and one", done.out.count("PASS") == 5, done.out)
    page.paid_once("GitLab: a job that was killed pays for nothing twice")
    pipeline_run()
    page.paid_once("GitLab: a job that succeeded pays for nothing when it is run again")
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
    template = job["spec"]["template"]
    container = template["spec"]["containers"][0]
    given = {one["name"]: one["value"] for one in container["env"]}
    folder = page.job("kubernetes")
    shutil.copytree(page.unsigned, folder / "dist")
    if template["metadata"]["labels"]["azure.workload.identity/use"] == "true" and "serviceAccountName" in template["spec"]:
        token = page.folder / "service-account-token"
        token.write_text(identity_token(page))
        given.update(VARIABLES, AZURE_FEDERATED_TOKEN_FILE=str(token))

    def pod(index):
        return run(*container["command"], *container["args"], cwd=folder,
                   env={**page.environment, **given, "JOB_COMPLETION_INDEX": str(index)})
    with page.doom("Kubernetes"):
        page.suite.check("Kubernetes: a pod that is killed fails", pod(DOOMED_SHARD - 1).returncode != 0)
    with concurrent.futures.ThreadPoolExecutor(job["spec"]["parallelism"]) as pool:
        pods = list(pool.map(pod, range(job["spec"]["completions"])))
    page.suite.check("Kubernetes: every pod succeeds", all(one.returncode == 0 for one in pods), [one.out for one in pods])
    page.paid_once("Kubernetes: a pod that was killed pays for nothing twice")
    page.shell("Kubernetes", "signctl merge --check-files --manifest signed/signctl-manifest.json signed/m*.json", folder)
    page.shell("Kubernetes", "signctl verify --manifest signed/signctl-manifest.json signed", folder)
    page.made("Kubernetes", folder / "signed" / "signctl-manifest.json")
    done = pod(DOOMED_SHARD - 1)
    page.suite.check("Kubernetes: a pod that is started anew succeeds", done.returncode == 0, done.out)
    page.paid_once("Kubernetes: and pays for nothing")


def main():
    suite = Suite()
    modules = node_modules("the CI examples", suite)
    if modules:
        # Without TLS, as identity tokens are handed out on the spot.
        with FakeServices(suite.folder / "fakes", ["entra", "artifact-signing"], "--http", "--unmarked") as fakes:
            page = Page(suite, modules, fakes)
            for test in (github, azure, gitlab, kubernetes):
                started = time.monotonic()
                test(page)
                print(f"{test.__name__}: {time.monotonic() - started:.1f} s", flush=True)
    suite.finish()


if __name__ == "__main__":
    main()
