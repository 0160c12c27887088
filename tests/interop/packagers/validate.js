// SPDX-License-Identifier: Apache-2.0
// validate.js KIND FILE: what the makers of a format's own tools say of a file. Exit code 1 with their objections.
// KIND `yaml` prints what a YAML file holds as JSON.
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");
const yaml = require("js-yaml");

const modules = process.env.NODE_PATH;

const kinds = {
  "github-workflow": (text) => {
    const log = console.log;
    console.log = () => {};
    const { errors } = require("@action-validator/core").validateWorkflow(text);
    console.log = log;
    return errors;
  },
  "kubernetes-job": async (text) => {
    const { Job } = await import(pathToFileURL(path.join(modules, "kubernetes-models/batch/v1/Job.js")));
    try {
      new Job(yaml.load(text)).validate();
      return [];
    } catch (error) {
      return [error.message];
    }
  },
  "tauri-config": (text) => {
    const Ajv = require("ajv");
    const ajv = new Ajv({ strict: false, logger: false, unicodeRegExp: false, validateFormats: false });
    const check = ajv.compile(JSON.parse(fs.readFileSync(path.join(modules, "@tauri-apps/cli/config.schema.json"), "utf8")));
    return check(JSON.parse(text)) ? [] : check.errors;
  },
  yaml: (text) => {
    console.log(JSON.stringify(yaml.load(text)));
    return [];
  },
};

(async () => {
  const [kind, file] = process.argv.slice(2);
  const objections = await kinds[kind](fs.readFileSync(file, "utf8"));
  if (objections.length > 0) {
    console.error(JSON.stringify(objections, null, 1));
    process.exit(1);
  }
})().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
