// SPDX-License-Identifier: Apache-2.0
// The manifest as a document.
#include "audit/manifest.hpp"
#include "audit/parts.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace signctl::audit {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "signctl/manifest/1";
constexpr std::size_t kMaxBytes = 64U << 20U;
constexpr std::string_view kHint = "a manifest is what signctl sign --manifest FILE writes";

void put(Json& json, const char* key, const std::string& value) {
  if (!value.empty()) {
    json[key] = value;
  }
}

Json to_json(const FileDigests& digests) {
  Json json;
  json["size"] = digests.size;
  json["sha256"] = digests.sha256;
  json["sha512"] = digests.sha512;
  return json;
}

Json to_json(const SignatureRecord& signature) {
  Json json;
  put(json, "signer", signature.signer);
  put(json, "provider", signature.provider);
  put(json, "certificate", signature.certificate);
  put(json, "certificate_sha256", signature.certificate_sha256);
  put(json, "digest", signature.digest);
  put(json, "timestamp", signature.timestamp);
  put(json, "timestamp_by", signature.timestamp_by);
  put(json, "reused", signature.reused);
  return json;
}

Json to_json(const FileRecord& file) {
  Json json;
  json["path"] = file.path;
  json["state"] = file.state;
  put(json, "step", file.step);
  put(json, "why", file.why);
  put(json, "format", file.format);
  if (file.before) {
    json["before"] = to_json(*file.before);
  }
  if (file.after) {
    json["after"] = to_json(*file.after);
  }
  if (file.signature) {
    json["signature"] = to_json(*file.signature);
  }
  return json;
}

Json to_json(const RunRecord& run) {
  Json json;
  json["id"] = run.id;
  json["version"] = run.version;
  json["started"] = run.started;
  json["ended"] = run.ended;
  json["exit_code"] = run.exit_code;
  put(json, "config", run.config);
  put(json, "config_sha256", run.config_sha256);
  put(json, "build_sha256", run.build_sha256);
  return json;
}

Json to_json(const ShardRecord& shard) {
  Json json = shard_json(shard);
  json["plan"] = Json::array();
  for (const PlannedPlace& place : shard.whole) {
    json["plan"].push_back({{"path", place.path}, {"shard", place.shard}});
  }
  return json;
}

Error malformed(const std::string& what) {
  return {ErrorKind::input, "not a manifest: " + what, std::string(kHint)};
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<FileDigests> read_digests(const Json& json, const std::string& where) {
  constexpr std::size_t kSha256Digits = 64;
  constexpr std::size_t kSha512Digits = 128;
  const auto size = json.is_object() ? json.find("size") : json.end();
  if (!json.is_object() || size == json.end() || !size->is_number_unsigned()) {
    return malformed(where + " has no size");
  }
  FileDigests digests{size->get<std::uint64_t>(), text_of(json, "sha256"), text_of(json, "sha512")};
  if (!is_hex(digests.sha256, kSha256Digits) || !is_hex(digests.sha512, kSha512Digits)) {
    return malformed(where + " has no sha256 and sha512 in lower-case hex");
  }
  return digests;
}

/// Nothing but a way from the manifest's folder: up first, then down.
bool is_plain_path(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.find('\\') != std::string::npos ||
      path.find('\0') != std::string::npos || (path.size() > 1 && path[1] == ':')) {
    return false;
  }
  bool down = false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = std::string_view(path).substr(begin, end - begin);
    if (name.empty() || name == "." || (name == ".." && down)) {
      return false;
    }
    down = down || name != "..";
    begin = end + 1;
  }
  return down;
}

SignatureRecord read_signature(const Json& json) {
  return {text_of(json, "signer"),
          text_of(json, "provider"),
          text_of(json, "certificate"),
          text_of(json, "certificate_sha256"),
          text_of(json, "digest"),
          text_of(json, "timestamp"),
          text_of(json, "timestamp_by"),
          text_of(json, "reused")};
}

Result<FileRecord> read_file_record(const Json& json) {
  if (!json.is_object()) {
    return malformed("a file is no object");
  }
  FileRecord file;
  file.path = text_of(json, "path");
  if (!is_plain_path(file.path)) {
    return malformed("\"" + printable(file.path) + "\" is no path from its folder");
  }
  file.state = text_of(json, "state");
  file.step = text_of(json, "step");
  file.why = text_of(json, "why");
  file.format = text_of(json, "format");
  const std::string where = printable(file.path);
  if (const auto before = json.find("before"); before != json.end()) {
    SIGNCTL_TRY(file.before, read_digests(*before, where), "");
  }
  if (const auto after = json.find("after"); after != json.end()) {
    SIGNCTL_TRY(file.after, read_digests(*after, where), "");
  }
  if (const auto signature = json.find("signature");
      signature != json.end() && signature->is_object()) {
    file.signature = read_signature(*signature);
  }
  const bool ended_well = is_good_state(file.state);
  if (ended_well && !file.after) {
    return malformed(where + " is " + file.state + " and has no digests");
  }
  if (!ended_well && file.state != "failed" && file.state != "not-started") {
    return malformed(where + " has the state \"" + printable(file.state) + "\"");
  }
  return file;
}

Result<RunRecord> read_run(const Json& json) {
  const auto code = json.is_object() ? json.find("exit_code") : json.end();
  if (!json.is_object() || code == json.end() || !code->is_number_integer()) {
    return malformed("run has no exit_code");
  }
  return RunRecord{text_of(json, "id"),
                   text_of(json, "version"),
                   text_of(json, "started"),
                   text_of(json, "ended"),
                   code->get<int>(),
                   false,
                   text_of(json, "config"),
                   text_of(json, "config_sha256"),
                   text_of(json, "build_sha256")};
}

std::size_t number_of(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() && found->is_number_unsigned()
             ? found->get<std::size_t>()
             : 0;
}

Result<ShardRecord> read_shard(const Json& json) {
  constexpr std::size_t kSha256Digits = 64;
  auto read = read_part("", {}, json).shard;
  if (!read) {
    return malformed("shard has no index, count and plan_sha256");
  }
  ShardRecord shard = std::move(*read);
  const auto plan = json.find("plan");
  if (!is_hex(shard.plan_sha256, kSha256Digits) || plan == json.end() || !plan->is_array()) {
    return malformed("shard has no plan_sha256 in lower-case hex and no plan");
  }
  std::set<std::string> seen;
  for (const Json& one : *plan) {
    PlannedPlace place{one.is_object() ? text_of(one, "path") : "", number_of(one, "shard")};
    if (!is_plain_path(place.path) || place.shard == 0 || place.shard > shard.count ||
        !seen.insert(place.path).second) {
      return malformed("shard.plan has a file without a path or shard of its own");
    }
    shard.whole.push_back(std::move(place));
  }
  return shard;
}

/// Whether a shard's files are those that its plan gives it, in order.
bool agrees_with_plan(const Manifest& manifest) {
  std::vector<std::string_view> mine;
  for (const PlannedPlace& place : manifest.shard->whole) {
    if (place.shard == manifest.shard->index) {
      mine.emplace_back(place.path);
    }
  }
  return std::ranges::equal(mine, manifest.files, {}, {}, [](const FileRecord& file) {
    return std::string_view(file.path);
  });
}

Result<Manifest> read_document(const Json& json) {
  if (!json.is_object() || text_of(json, "schema") != kSchema) {
    return malformed("its schema is not " + std::string(kSchema));
  }
  Manifest manifest;
  SIGNCTL_TRY(manifest.run, read_run(json.value("run", Json())), "");
  const auto complete = json.find("complete");
  const auto rehearsal = json.find("rehearsal");
  const auto files = json.find("files");
  if (complete == json.end() || !complete->is_boolean() || rehearsal == json.end() ||
      !rehearsal->is_boolean() || files == json.end() || !files->is_array()) {
    return malformed("complete, rehearsal or files is missing");
  }
  manifest.run.rehearsal = rehearsal->get<bool>();
  std::set<std::string> seen;
  for (const Json& one : *files) {
    SIGNCTL_TRY(FileRecord file, read_file_record(one), "");
    if (!seen.insert(file.path).second) {
      return malformed(printable(file.path) + " stands there twice");
    }
    manifest.files.push_back(std::move(file));
  }
  for (const Json& path : json.value("left_out", Json::array())) {
    manifest.left_out.push_back(path.is_string() ? path.get<std::string>() : "");
  }
  if (const auto shard = json.find("shard"); shard != json.end()) {
    SIGNCTL_TRY(manifest.shard, read_shard(*shard), "");
    if (!agrees_with_plan(manifest)) {
      return malformed("its files are not those that shard.plan gives to this shard");
    }
  }
  for (const Json& part : json.value("parts", Json::array())) {
    SIGNCTL_TRY(RunRecord run, read_run(part), "");
    manifest.parts.push_back(std::move(run));
  }
  if (complete->get<bool>() != manifest.complete()) {
    return malformed("what it says of being complete does not agree with its files");
  }
  return manifest;
}

}  // namespace

std::string to_text(const Manifest& manifest) {
  Json json;
  json["schema"] = kSchema;
  json["complete"] = manifest.complete();
  json["rehearsal"] = manifest.run.rehearsal;
  json["run"] = to_json(manifest.run);
  if (manifest.shard) {
    json["shard"] = to_json(*manifest.shard);
  }
  for (const RunRecord& part : manifest.parts) {
    json["parts"].push_back(to_json(part));
  }
  json["files"] = Json::array();
  for (const FileRecord& file : manifest.files) {
    json["files"].push_back(to_json(file));
  }
  if (!manifest.left_out.empty()) {
    json["left_out"] = manifest.left_out;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Manifest> parse_manifest(ByteView text) {
  const std::string_view characters = as_text(text);
  // No exceptions, and no depth that would exhaust the stack: the parser does not recurse.
  const Json json = Json::parse(characters, nullptr, false);
  if (json.is_discarded()) {
    return malformed("it is no JSON");
  }
  return read_document(json);
}

Result<Manifest> read_manifest(const std::string& path_utf8) {
  SIGNCTL_TRY(
      const Bytes bytes, read_file(path_utf8, kMaxBytes), "reading the manifest " + path_utf8);
  SIGNCTL_TRY(
      Manifest manifest, parse_manifest(bytes), "reading the manifest " + printable(path_utf8));
  return manifest;
}

}  // namespace signctl::audit
