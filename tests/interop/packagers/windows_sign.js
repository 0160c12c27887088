// SPDX-License-Identifier: Apache-2.0
// windows_sign.js FORGE-CONFIG APP-FOLDER: signs a folder as Electron Forge and @electron/packager would.
const path = require("node:path");
const { sign } = require("@electron/windows-sign");

const { packagerConfig } = require(path.resolve(process.argv[2]));
sign({ ...packagerConfig.windowsSign, appDirectory: path.resolve(process.argv[3]) }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
