// SPDX-License-Identifier: Apache-2.0
#include "cli/binary_output.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/files_read.hpp"
#include "cli/render_json.hpp"
#include "cli/settings.hpp"
#include "core/text.hpp"

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::vector<std::string> files;
  std::string output;
  bool to_be_signed{false};
  bool attributes{false};
  std::string format{"hex"};
  ConfigFlags config;
  SignatureFlags signature;
  ExistingFlags existing;
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operands(options.files);
  flags.value("-o,--output", options.output, "FILE", "Write the raw bytes here; for one file");
  flags.group("What");
  flags.flag("--to-be-signed",
             options.to_be_signed,
             "The hash of the signed attributes, which a signing service signs");
  flags.flag("--attributes", options.attributes, "The signed attributes themselves, DER");
  flags.value("--format", options.format, "hex|base64|raw", "How to print it");
  declare(flags, options.config);
  declare(flags, options.signature);
  declare(flags, options.existing);
}

const Bytes& wanted(const engine::DigestFacts& facts, const Options& options) {
  if (options.attributes) {
    return facts.signed_attributes_set;
  }
  return options.to_be_signed ? facts.to_be_signed : facts.file_digest;
}

Json json_of(const std::string& path, const engine::DigestFacts& facts) {
  Json json;
  json["path"] = path;
  json["format"] = facts.format;
  json["digest_algorithm"] = digest_name(facts.alg);
  json["digest"] = to_hex(facts.file_digest);
  if (!facts.to_be_signed.empty()) {
    json["to_be_signed"] = to_hex(facts.to_be_signed);
    json["signed_attributes"] = to_base64(facts.signed_attributes_set);
  }
  return json;
}

Result<void> check(const Options& options) {
  if (options.files.empty()) {
    return Error{ErrorKind::usage, "no files are named", "signctl digest FILE..."};
  }
  if (options.attributes && options.to_be_signed) {
    return Error{ErrorKind::usage, "--attributes and --to-be-signed exclude each other"};
  }
  if (options.files.size() > 1 && (!options.output.empty() || options.format == "raw")) {
    return Error{ErrorKind::usage,
                 std::string(options.output.empty() ? "--format raw" : "--output") +
                     " takes one file, and " + std::to_string(options.files.size()) + " are named"};
  }
  return ok();
}

Result<void> print(const Options& options,
                   const std::string& path,
                   const engine::DigestFacts& facts,
                   Context& context) {
  const Bytes& bytes = wanted(facts, options);
  if (bytes.empty()) {
    return Error{
        ErrorKind::unsupported,
        path + " is of type " + facts.format +
            ", whose signatures name the signer and the time, so that no key elsewhere can "
            "make the value alone",
        "sign it with signctl sign"};
  }
  if (!options.output.empty() || options.format == "raw") {
    SIGNCTL_CHECK(write_bytes(context, options.output, bytes), "");
    if (!options.output.empty()) {
      context.line("wrote " + printable(options.output));
    }
    return ok();
  }
  context.line(std::string(digest_name(facts.alg)) + " " +
               (options.format == "hex" ? to_hex(bytes) : to_base64(bytes)) + "  " +
               printable(path));
  return ok();
}

Result<int> run(const Options& options, Context& context) {
  SIGNCTL_CHECK(check(options), "");
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  SIGNCTL_TRY(const auto sign, sign_options(config, options.signature, options.existing, {}), "");
  FilesRead read;
  read.add(options.config);
  for (const std::string& path : options.files) {
    read.add(path);
  }
  SIGNCTL_CHECK(read.check_output(options.output), "");
  Json json = document("digest");
  json["files"] = Json::array();
  for (const std::string& path : options.files) {
    SIGNCTL_TRY(const auto facts, engine::digest_file(path, sign), "");
    json["files"].push_back(json_of(path, facts));
    if (context.json() && options.output.empty()) {
      continue;
    }
    SIGNCTL_CHECK(print(options, path, facts, context), "");
  }
  if (context.json()) {
    print_json(context, json);
  }
  return 0;
}

}  // namespace

const Command& digest_command() {
  static constexpr Command kCommand{
      "digest",
      "Detached signing",
      "FILE...",
      "Print what is to be signed",
      "Prints the Authenticode digest of files. With --to-be-signed it prints what a key elsewhere "
      "has to sign, for signctl attach; description, URL and digest algorithm are part of that, so "
      "give attach the same ones.",
      "  signctl digest setup.exe\n"
      "  signctl digest --to-be-signed --format raw -o tbs.bin setup.exe\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
