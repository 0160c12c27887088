// SPDX-License-Identifier: Apache-2.0
// electron-updater on Windows, as an installed app runs it, against a folder served by HTTP:
//   node electron_updater.js FOLDER CACHE CHANNEL
// Electron itself is not there: its place is taken by Node's HTTP client and an adapter that names the app.
// Prints {"version", "files", "error", "asked"} and ends with 1 when the update was refused.
"use strict";
Object.defineProperty(process, "platform", { value: "win32" });
Object.defineProperty(process, "arch", { value: "x64" });
const fs = require("fs");
const http = require("http");
const path = require("path");
const { NsisUpdater } = require("electron-updater/out/NsisUpdater");
const { ElectronHttpExecutor } = require("electron-updater/out/electronHttpExecutor");

class NodeExecutor extends ElectronHttpExecutor {
  createRequest(options, callback) {
    return http.request(options, callback);
  }
  addRedirectHandlers() {}
}

function serve(folder, asked) {
  return http.createServer((request, response) => {
    const name = decodeURIComponent(request.url.split("?")[0]).slice(1);
    asked.push(name);
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) {
      response.writeHead(404);
      return response.end();
    }
    const bytes = fs.readFileSync(file);
    response.writeHead(200, { "content-length": bytes.length });
    return response.end(bytes);
  });
}

async function update(updater, cache, outcome) {
  try {
    outcome.version = (await updater.checkForUpdates()).updateInfo.version;
    outcome.files = (await updater.downloadUpdate()).map((file) => path.relative(cache, file));
  } catch (error) {
    outcome.error = error.code || String(error);
    outcome.message = String(error.message).slice(0, 500);
  }
}

async function main() {
  const [folder, cache, channel] = process.argv.slice(2);
  const outcome = { asked: [] };
  const server = serve(folder, outcome.asked);
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const config = path.join(cache, "app-update.yml");
  fs.writeFileSync(config, `provider: generic\nurl: http://127.0.0.1:${server.address().port}/\nchannel: ${channel}\nupdaterCacheDirName: app\n`);
  const updater = new NsisUpdater(null, {
    version: "0.0.1", name: "app", isPackaged: true, appUpdateConfigPath: config, userDataPath: cache, baseCachePath: cache,
    whenReady: async () => {}, relaunch() {}, quit() {}, onQuit() {},
  });
  updater.updateConfigPath = config;
  updater.httpExecutor = new NodeExecutor();
  updater.logger = null;
  updater.autoDownload = false;
  updater.allowPrerelease = true;
  updater.on("error", () => {});
  await update(updater, cache, outcome);
  console.log(JSON.stringify(outcome));
  process.exit(outcome.error === undefined ? 0 : 1);
}

main();
