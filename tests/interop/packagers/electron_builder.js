// SPDX-License-Identifier: Apache-2.0
// Packs the app in the working directory as electron-builder's command line would, up to the folder that its
// installers are made from. Its configuration is that of package.json.
const { Arch, Packager, Platform } = require("app-builder-lib");

new Packager({
  projectDir: process.cwd(),
  targets: Platform.WINDOWS.createTarget(["dir"], Arch.x64),
  publish: null,
}).build().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
