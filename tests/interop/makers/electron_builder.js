// SPDX-License-Identifier: Apache-2.0
// electron-builder's own writer of update files and block maps, on files that are there already:
//   node electron_builder.js < {"folder", "version", "config", "publish", "platform",
//                               "artifacts": [{"file", "arch", "safeName", "packages", "embedded"}]}
// `packages` are what a web installer downloads, by architecture; `embedded` puts the block map into the file.
"use strict";
const fs = require("fs");
const path = require("path");
const { Platform } = require("app-builder-lib/out/core");
const { Arch } = require("builder-util");
const updateInfo = require("app-builder-lib/out/publish/updateInfoBuilder");
const blockMaps = require("app-builder-lib/out/targets/differentialUpdateInfoBuilder");

async function describe(wish, packager, artifact, file) {
  if (artifact.packages !== undefined) {
    const files = {};
    for (const [arch, name] of Object.entries(artifact.packages)) {
      const one = path.join(wish.folder, name);
      files[arch] = { path: one, ...(await blockMaps.appendBlockmap(one)) };
    }
    return blockMaps.createNsisWebDifferentialUpdateInfo(file, files);
  }
  return artifact.embedded ? blockMaps.appendBlockmap(file) : blockMaps.createBlockmap(file, null, packager, null);
}

async function main() {
  const wish = JSON.parse(fs.readFileSync(0, "utf8"));
  const nothing = async () => null;
  const packager = {
    platform: Platform[wish.platform || "WINDOWS"],
    config: wish.config || {},
    platformSpecificBuildOptions: {},
    appInfo: { version: wish.version },
    getResource: nothing,
    info: { metadata: {}, emitArtifactBuildCompleted: nothing, emitArtifactCreated: nothing },
    emitArtifactCreated: nothing,
  };
  const publish = wish.publish || [{ provider: "generic", url: "http://127.0.0.1/" }];
  const tasks = [];
  for (const artifact of wish.artifacts) {
    const file = path.join(wish.folder, artifact.file);
    const event = {
      file,
      packager,
      target: { outDir: wish.folder },
      arch: artifact.arch === undefined ? null : Arch[artifact.arch],
      safeArtifactName: artifact.safeName,
      updateInfo: await describe(wish, packager, artifact, file),
    };
    tasks.push(...(await updateInfo.createUpdateInfoTasks(event, publish)));
  }
  await updateInfo.writeUpdateInfoFiles(tasks, packager);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
