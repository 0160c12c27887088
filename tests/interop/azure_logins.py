#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way of logging in to Azure, through the signctl program, as the places offer it that it runs in.

Way x (good, refused) on a real PE file: what is signed is verified by signctl and by osslsigncode; what
is refused has exit code 6, a hint, and no second way tried; no output holds a secret or a token.
"""
import dataclasses
import json
import re
import shutil
import urllib.request

from fake_services import FakeServices
from harness import Suite, run, sha256, signctl, tool, unsigned_files

AUTH = 6
RESOURCE = "https://codesigning.azure.net"
SECRETS = {
    "AZURE_CLIENT_SECRET": "fake~client~secret.value",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "fake-actions-request-token",
    "SYSTEM_ACCESSTOKEN": "fake-system-access-token",
    "IDENTITY_HEADER": "fake-identity-header",
    "MSI_SECRET": "fake-msi-secret",
}
WRONG = "nothing-like-the-secret-4711"


@dataclasses.dataclass
class Way:
    """`variables` are the place's; `said` is part of the line that tells what auto chose."""
    name: str
    said: str
    variables: dict = dataclasses.field(default_factory=dict)
    settings: dict = dataclasses.field(default_factory=dict)
    refused: dict = dataclasses.field(default_factory=dict)  # Variables of a bad day.
    asked: str = ""  # Part of "METHOD /path" that this way asks, and no other.


class Place:
    """The services, and what they would have given to a pipeline."""

    def __init__(self, suite, services):
        self.services = services
        self.folder = suite.folder
        self.entra = f"{services.url}/entra"
        self.tools = self.folder / "tools"
        self.tools.mkdir()

    def get(self, path, **headers):
        request = urllib.request.Request(self.entra + path, headers=headers)
        with self.services.opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def identity_token(self):
        path = "/github/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
        return self.get(path, Authorization=f"bearer {SECRETS['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}")["value"]

    def access_token(self):
        path = f"/identity?api-version=2019-08-01&resource={RESOURCE}"
        return self.get(path, **{"X-IDENTITY-HEADER": SECRETS["IDENTITY_HEADER"]})

    def az(self, name, body):
        """A folder with an az command that does `body` when it is called as it should be."""
        folder = self.tools / name
        folder.mkdir()
        words = f"account get-access-token --output json --resource {RESOURCE} --tenant fake-tenant"
        command = folder / "az"
        command.write_text(f'#!/bin/sh\n[ "$*" = "{words}" ] || exit 2\n{body}\n')
        command.chmod(0o755)
        return {"PATH": f"{folder}:/usr/bin:/bin"}

    def logged_in_az(self):
        given = self.access_token()
        answer = {"accessToken": given["access_token"], "expires_on": int(given["expires_on"]),
                  "expiresOn": "2026-01-01 00:00:00.000000", "tenant": "fake-tenant", "tokenType": "Bearer"}
        path = self.tools / "token.json"
        path.write_text(json.dumps(answer, indent=2))
        return self.az("logged-in", f"cat {path}")

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


def ways(place):
    """All of them, most of them as auto finds them."""
    token_file = {"AZURE_FEDERATED_TOKEN_FILE": place.file("token", place.identity_token() + "\n")}
    bad_file = {"AZURE_FEDERATED_TOKEN_FILE": place.file("bad-token", "e30.e30.e30")}
    given = {"federated_token": "env:PIPELINE_ID_TOKEN"}
    # Where no variable tells, the machine's metadata service is asked for.
    nobody = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1"}
    return [
        Way("client secret", "the client secret of application", asked="POST /entra/fake-tenant",
            variables={"AZURE_CLIENT_SECRET": SECRETS["AZURE_CLIENT_SECRET"]}, refused={"AZURE_CLIENT_SECRET": WRONG}),
        Way("token file", "AZURE_FEDERATED_TOKEN_FILE", token_file, refused=bad_file, asked="POST /entra/fake-tenant"),
        Way("GitLab", "the given identity token", {"PIPELINE_ID_TOKEN": place.identity_token()}, given,
            {"PIPELINE_ID_TOKEN": "e30.e30.e30"}, "POST /entra/fake-tenant"),
        Way("GitHub", "GitHub's identity token", asked="GET /entra/github/token",
            variables={"ACTIONS_ID_TOKEN_REQUEST_URL": f"{place.entra}/github/token?api-version=2.0",
                       "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRETS["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]},
            refused={"ACTIONS_ID_TOKEN_REQUEST_TOKEN": WRONG}),
        Way("Azure DevOps", "Azure DevOps' identity token", asked="POST /entra/ado/token",
            variables={"SYSTEM_OIDCREQUESTURI": f"{place.entra}/ado/token",
                       "SYSTEM_ACCESSTOKEN": SECRETS["SYSTEM_ACCESSTOKEN"]},
            refused={"SYSTEM_ACCESSTOKEN": WRONG}),
        Way("App Service", "the managed identity", asked="GET /entra/identity",
            variables={"IDENTITY_ENDPOINT": f"{place.entra}/identity", "IDENTITY_HEADER": SECRETS["IDENTITY_HEADER"]},
            refused={"IDENTITY_HEADER": WRONG}),
        Way("Azure Machine Learning", "the managed identity", asked="GET /entra/ml/token",
            variables={"MSI_ENDPOINT": f"{place.entra}/ml/token", "MSI_SECRET": SECRETS["MSI_SECRET"]},
            refused={"MSI_SECRET": WRONG}),
        Way("metadata service", "the managed identity", asked="GET /entra/metadata/identity",
            variables={"AZURE_POD_IDENTITY_AUTHORITY_HOST": place.entra},
            refused={"AZURE_CLIENT_ID": "an-identity-that-is-not-assigned"}),
        Way("az", "the az command's login", {**nobody, **place.logged_in_az()},
            refused=place.az("logged-out", "echo 'Please run az login' >&2; exit 1")),
    ]


class Bench:
    def __init__(self, suite, services, sample, peer):
        self.suite = suite
        self.services = services
        self.sample = sample
        self.peer = peer
        self.file = suite.folder / "app.exe"

    def sign(self, way, changes=None):
        shutil.copyfile(self.sample, self.file)
        self.services.reset()
        settings = {"endpoint": f"{self.services.url}/artifact-signing", "account": "contoso",
                    "profile": "public-trust", "authority": f"{self.services.url}/entra", **way.settings}
        variables = {"AZURE_TENANT_ID": "fake-tenant", "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
                     **way.variables, **(changes or {})}
        words = [word for key, value in settings.items() for word in ("-p", f"{key}={value}")]
        done = signctl("sign", "--provider", "trusted-signing", *words, "--no-timestamp", "--dev", "--trust-cert",
                       self.services.root, "-vv", self.file, env={k: str(v) for k, v in variables.items()})
        told = [s for s in (*SECRETS.values(), WRONG) if s in done.out]
        told += re.findall(r"eyJ[A-Za-z0-9_-]{10}|[Bb]earer [A-Za-z0-9]", done.out)
        self.suite.check(f"{way.name}: no secret and no token is in any output", not told, done.out)
        return done

    def good(self, way):
        done = self.sign(way)
        self.suite.check(f"{way.name}: signs", done.returncode == 0, f"{done.returncode}\n{done.out}")
        lines = [line for line in done.out.splitlines() if "logging in with" in line and "azure:" in line]
        self.suite.check(f"{way.name}: one line says what was chosen", len(lines) == 1 and way.said in lines[0], done.out)
        if way.asked:
            # The metadata service is found by asking it.
            asked = [one for one in self.services.log() if way.asked in f"{one['method']} {one['path']}"]
            good = [one for one in asked if one["status"] == 200]
            self.suite.check(f"{way.name}: logs in once", len(good) == 1, self.services.log())
        ours = signctl("verify", "--trust-cert", self.services.root, "--dev", "--timestamp", "optional", self.file)
        self.suite.check(f"{way.name}: signctl verifies it", ours.returncode == 0, ours.out)
        if self.peer:
            theirs = run(self.peer, "verify", "-CAfile", self.services.root, self.file)
            verified = theirs.returncode == 0 and "Signature verification: ok" in theirs.out
            self.suite.check(f"{way.name}: osslsigncode verifies it", verified, theirs.out)

    def refused(self, way):
        done = self.sign(way, way.refused)
        self.suite.check(f"{way.name} refused: exit code {AUTH}", done.returncode == AUTH,
                         f"{done.returncode}\n{done.out}")
        self.suite.check(f"{way.name} refused: comes with a hint", "hint: " in done.out, done.out)
        self.suite.check(f"{way.name} refused: the file is untouched", sha256(self.file) == sha256(self.sample))
        others = [one for one in self.services.log() if one["path"].startswith("/artifact-signing") or
                  (way.asked and way.asked not in f"{one['method']} {one['path']}")]
        self.suite.check(f"{way.name} refused: no other way is tried", not others, self.services.log())


def main():
    suite = Suite()
    peer = tool("osslsigncode", suite)
    sample = unsigned_files(suite)[0][1]
    # Plain, because App Service and the metadata service are.
    with FakeServices(suite.folder / "services", ["entra", "artifact-signing"], "--http") as services:
        bench = Bench(suite, services, sample, peer)
        for way in ways(Place(suite, services)):
            bench.good(way)
            bench.refused(way)
    suite.finish()


if __name__ == "__main__":
    main()
