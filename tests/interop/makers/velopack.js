// SPDX-License-Identifier: Apache-2.0
// Velopack's update manager, as an installed app of version 1.0.0 runs it, on a folder with a feed:
//   node velopack.js VELOPACK-PACKAGE FOLDER APP CHANNEL
// The last line is {"offered", "files", "error"}; ends with 1 when the update was refused.
"use strict";
const fs = require("fs");
const path = require("path");

async function main() {
  const [module, folder, app, channel] = process.argv.slice(2);
  const { UpdateManager } = require(module);
  const outcome = {};
  try {
    const manager = new UpdateManager(
      folder,
      { AllowVersionDowngrade: false, ExplicitChannel: channel, MaximumDeltasBeforeFallback: 0 },
      {
        RootAppDir: app, UpdateExePath: path.join(app, "UpdateNix"), PackagesDir: path.join(app, "packages"),
        ManifestPath: path.join(app, "sq.version"), CurrentBinaryDir: app, IsPortable: true,
      },
    );
    const update = await manager.checkForUpdatesAsync();
    outcome.offered = update === null ? null : update.TargetFullRelease;
    await manager.downloadUpdateAsync(update, () => {});
    outcome.files = fs.readdirSync(path.join(app, "packages")).filter((name) => name.endsWith(".nupkg"));
  } catch (error) {
    outcome.error = String(error.message || error);
  }
  console.log(JSON.stringify(outcome));
  process.exit(outcome.error === undefined ? 0 : 1);
}

main();
