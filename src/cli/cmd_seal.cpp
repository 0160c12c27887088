// SPDX-License-Identifier: Apache-2.0
// After signing: what holds hashes and sizes of signed files is brought up to date.
#include "audit/manifest.hpp"
#include "audit/manifest_check.hpp"
#include "audit/own_record.hpp"
#include "cli/command.hpp"
#include "cli/errors.hpp"
#include "cli/render_json.hpp"
#include "cli/stale_texts.hpp"
#include "core/atomic_file.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "plan/plan.hpp"
#include "seal/seal.hpp"

#include <signctl/exit_code.hpp>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::vector<std::string> files;
  std::vector<std::string> folders;
  std::string manifest;
  bool check{false};
  bool allow_missing{false};
  bool stale_signatures{false};
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operands(options.files);
  flags.values("--files",
               options.folders,
               "DIR",
               "Where the signed files are, if not beside what names them; repeatable");
  flags.value(
      "--manifest",
      options.manifest,
      "FILE",
      "Prove by what sign --manifest wrote that nothing moved since, and add the sealed files");
  flags.group("Seal");
  flags.flag("--check", options.check, "Change nothing; exit code 1 when something is not right");
  flags.flag("--allow-missing",
             options.allow_missing,
             "Leave alone what is said of files that are not there");
  flags.flag(
      "--stale-signatures",
      options.stale_signatures,
      "Seal although signatures that only you can make (of an updater, of a list) become stale");
}

/// Refuses when a file of the manifest is not as it was when it was signed.
Result<void> check_signed(const audit::Manifest& manifest, const std::string& manifest_path) {
  if (const auto finding = audit::check_run(manifest)) {
    return Error{ErrorKind::gate, finding->id + ": " + finding->message, finding->hint};
  }
  for (const audit::FileRecord& file : manifest.files) {
    if (file.state == "sealed") {
      continue;  // Written anew below, if it is named.
    }
    const std::string path = audit::path_from_manifest(file.path, manifest_path);
    SIGNCTL_TRY(const auto digests, audit::digest_file(path), "comparing with the manifest");
    if (const auto finding = audit::check_file(file, digests)) {
      return Error{ErrorKind::gate,
                   finding->id + ": " + printable(path) + ": " + finding->message,
                   "sign it again; what is sealed must be what was signed"};
    }
  }
  return ok();
}

/// The manifest is written last and holds the hashes of the sealed files: none may hold its hash.
Result<void> check_not_about(const seal::Seal& sealed, const std::string& manifest_path) {
  std::error_code code;
  for (const seal::SealedFile& file : sealed.files) {
    for (const std::string& target : file.targets) {
      if (std::filesystem::equivalent(to_path(target), to_path(manifest_path), code)) {
        return Error{ErrorKind::input,
                     printable(file.path) + " holds a hash of the manifest, which holds its hash",
                     "take the manifest out of that list, or keep it elsewhere"};
      }
    }
  }
  return ok();
}

/// Puts the sealed files into the manifest, in place of what it said of them.
Result<void> record(const seal::Seal& sealed,
                    const std::string& manifest_path,
                    audit::Manifest& manifest) {
  for (const seal::SealedFile& file : sealed.files) {
    audit::FileRecord entry;
    SIGNCTL_TRY(entry.path, audit::path_in_manifest(file.path, manifest_path), "");
    entry.state = "sealed";
    entry.format = file.type;
    SIGNCTL_TRY(entry.after, audit::digest_file(file.path), "");
    std::erase_if(manifest.files,
                  [&](const audit::FileRecord& known) { return known.path == entry.path; });
    manifest.files.push_back(std::move(entry));
  }
  const std::string text = audit::to_text(manifest);
  SIGNCTL_CHECK(write_file(manifest_path, as_bytes(text), Existing::replace),
                "writing the manifest " + printable(manifest_path));
  return ok();
}

Json json_of(const seal::Seal& sealed, bool check, int code) {
  Json json = document("seal");
  json["exit_code"] = code;
  json["changed"] = !check && !sealed.is_right();
  json["right"] = sealed.is_right();
  json["files"] = Json::array();
  for (const seal::SealedFile& file : sealed.files) {
    Json one{{"path", file.path}, {"type", file.type}, {"values", file.values}};
    one["changes"] = Json::array();
    for (const seal::Change& change : file.changes) {
      one["changes"].push_back({{"target", change.target},
                                {"label", change.label},
                                {"from", change.from},
                                {"to", change.to}});
    }
    one["warnings"] = file.warnings;
    json["files"].push_back(std::move(one));
  }
  json["stale_signatures"] = sealed.foreign;
  json["removed"] = check ? std::vector<std::string>{} : sealed.block_maps;
  return json;
}

void print(const seal::Seal& sealed, bool check, Context& context) {
  for (const seal::SealedFile& file : sealed.files) {
    for (const std::string& warning : file.warnings) {
      log_warning(printable(file.path) + ": " + warning);
    }
    const std::string count =
        std::to_string(file.values) + (file.values == 1 ? " value" : " values");
    if (file.changes.empty()) {
      context.line("right   " + printable(file.path) + " (" + file.type + ", " + count + ")");
      continue;
    }
    context.line((check ? "STALE   " : "sealed  ") + printable(file.path) + " (" + file.type +
                 ", " + std::to_string(file.changes.size()) + " of " + count + ")");
    for (const seal::Change& change : file.changes) {
      context.line("  " + printable(change.target) + " " + change.label + ": " +
                   printable(change.from) +
                   (change.to.empty() ? ", taken out" : " -> " + change.to));
    }
  }
  for (const std::string& path : sealed.block_maps) {
    context.line((check ? "STALE   " : "removed ") + printable(path));
  }
  for (const std::string& sentence : sealed.foreign) {
    log_warning(sentence);
  }
}

Result<std::vector<std::string>> selected(const Options& options) {
  const plan::Selection selection{"", "", options.files, {}, false};
  SIGNCTL_TRY(const auto plan,
              plan::expand({selection},
                           seal::is_dependent,
                           {"one of checksums or update data that is known here",
                            "docs/seal.md lists the types"}),
              "");
  std::vector<std::string> paths;
  for (const plan::PlannedFile& file : plan.files) {
    paths.push_back(file.path);
  }
  return paths;
}

/// The other files in the folders that are named, in lists too, but for the records of signing.
Result<std::vector<std::string>> others_in_folders(const Options& options,
                                                   const std::optional<audit::Manifest>& manifest) {
  plan::Selection selection{"", "", {}, {}, true};
  std::error_code ignored;
  std::copy_if(options.files.begin(),
               options.files.end(),
               std::back_inserter(selection.include),
               [&](const std::string& file) {
                 return file.starts_with('!') || file.starts_with('@') ||
                        std::filesystem::is_directory(to_path(file), ignored);
               });
  const auto is_other = [&](const std::string& path) {
    return !seal::is_dependent(path) &&
           !audit::is_own_record(path, manifest.value_or(audit::Manifest{}));
  };
  SIGNCTL_TRY(const auto plan, plan::expand({selection}, {}), "");
  std::vector<std::string> paths;
  for (const plan::PlannedFile& file : plan.files) {
    if (is_other(file.path)) {  // A list may name files as well, which are taken as they are.
      paths.push_back(file.path);
    }
  }
  return paths;
}

/// Refuses when a text that is not sealed, or what a sealed one says beside its values, names a
/// hash that is not right any more.
Result<void> check_nothing_left(const Options& options,
                                const seal::Seal& sealed,
                                const std::optional<audit::Manifest>& manifest) {
  OldHashes old;
  for (const seal::SealedFile& file : sealed.files) {
    for (const seal::Change& change : file.changes) {
      old.add(change.from, change.target);
    }
  }
  for (const audit::FileRecord& file :
       manifest ? manifest->files : std::vector<audit::FileRecord>{}) {
    if (file.before && file.after && file.before->sha256 != file.after->sha256) {
      old.add(file.before->sha256, file.path);
      old.add(file.before->sha512, file.path);
    }
  }
  for (const seal::SealedFile& file : sealed.files) {
    SIGNCTL_CHECK(old.check_absent_beside_values(file.path, file.beside_values), "");
  }
  SIGNCTL_TRY(const auto others, others_in_folders(options, manifest), "");
  return old.check_absent_from(others);
}

/// The manifest that is named, when all that it says still holds.
Result<std::optional<audit::Manifest>> read_proof(const Options& options) {
  std::optional<audit::Manifest> manifest;
  if (!options.manifest.empty()) {
    SIGNCTL_TRY(manifest, audit::read_manifest(options.manifest), "");
    SIGNCTL_CHECK(check_signed(*manifest, options.manifest), "");
  }
  return manifest;
}

Result<void> apply(const seal::Seal& sealed,
                   const std::string& manifest_path,
                   std::optional<audit::Manifest> manifest) {
  SIGNCTL_CHECK(seal::write(sealed), "");
  return manifest ? record(sealed, manifest_path, *manifest) : ok();
}

Result<int> run(const Options& options, Context& context) {
  if (options.files.empty()) {
    return Error{ErrorKind::usage,
                 "no files are named",
                 "name the checksum and update files, or the folder that they are in"};
  }
  const auto paths = selected(options);
  SIGNCTL_TRY(auto manifest, read_proof(options), "");
  if (!paths) {
    // Of a stale text in a folder without lists, its name says more than that there is no list.
    SIGNCTL_CHECK(check_nothing_left(options, {}, manifest), "");
    return paths.error();
  }
  SIGNCTL_TRY(
      const seal::Seal sealed,
      seal::compute(*paths, {options.folders, options.allow_missing, options.stale_signatures}),
      "");
  SIGNCTL_CHECK(check_nothing_left(options, sealed, manifest), "");
  if (manifest) {
    SIGNCTL_CHECK(check_not_about(sealed, options.manifest), "");
  }
  if (!options.check) {
    SIGNCTL_CHECK(apply(sealed, options.manifest, std::move(manifest)), "");
  }
  const int code = options.check && !sealed.is_right() ? exit_code(ErrorKind::gate) : 0;
  print(sealed, options.check, context);
  if (context.json()) {
    print_json(context, json_of(sealed, options.check, code));
  }
  return code;
}

}  // namespace

const Command& seal_command() {
  static constexpr Command kCommand{
      "seal",
      "Release day",
      "FILE...",
      "Bring checksum and update files up to date with what was signed",
      "Signing changes a file, and with it every hash and size that others have written down. "
      "Reads "
      "SHA256SUMS and its kin, electron-builder's latest.yml, Squirrel's RELEASES, Velopack's "
      "feed, "
      "manifests of winget and Scoop, and Sparkle appcasts; computes each value from the bytes on "
      "disk; "
      "and changes those values alone, in place. All files are computed before one is written.\n"
      "Of a folder, every file of these types in it is taken. A file that is named and not there "
      "is an "
      "error, and so is a signature that becomes stale and that only you can make, and any other "
      "text "
      "in the folder with a hash that a file had before it was signed.\n"
      "With --manifest nothing is sealed unless every file is as it was when it was signed; the "
      "sealed "
      "files become part of the manifest, so that verify --manifest proves the whole upload.",
      "  signctl seal dist\n"
      "  signctl seal --check dist                      # before the upload; changes nothing\n"
      "  signctl seal --manifest dist/signctl-manifest.json dist\n"
      "  signctl seal --files dist manifests/c/Contoso/App/1.2.3/*.installer.yaml\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
