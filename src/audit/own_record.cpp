// SPDX-License-Identifier: Apache-2.0
#include "audit/own_record.hpp"

#include "audit/log.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace signctl::audit {

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

bool is_config_of(const std::string& path, const RunRecord& run) {
  if (run.config_sha256.empty()) {
    return false;
  }
  const auto digests = digest_file(path);
  return digests && digests->sha256 == run.config_sha256;
}

bool is_manifest(ByteView bytes) {
  const auto manifest = parse_manifest(bytes);
  return manifest && to_text(*manifest) == as_text(bytes);
}

bool is_log(ByteView bytes) {
  const LogCheck check = check_log(as_text(bytes), "");
  return check.records != 0 && check.torn == 0 && check.defects.empty();
}

}  // namespace

bool is_own_record(const std::string& path_utf8, const Manifest& manifest) {
  const std::string name = to_lower(path_utf8);
  const bool is_json = name.ends_with(".json");
  if (is_json || name.ends_with(".jsonl") || name.ends_with(".log")) {
    const auto bytes = read_file(path_utf8, kMostBytes);
    if (bytes && (is_json ? is_manifest(*bytes) : is_log(*bytes))) {
      return true;
    }
  }
  return is_config_of(path_utf8, manifest.run) ||
         std::any_of(manifest.parts.begin(), manifest.parts.end(), [&](const RunRecord& part) {
           return is_config_of(path_utf8, part);
         });
}

}  // namespace signctl::audit
