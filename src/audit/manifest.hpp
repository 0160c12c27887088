// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What a signing run made, so that it can be proved later that nothing moved since.
namespace signctl::audit {

/// A file's bytes: their number and hashes, lower-case hex.
struct FileDigests {
  std::uint64_t size{};
  std::string sha256;
  std::string sha512;

  friend bool operator==(const FileDigests&, const FileDigests&) = default;
};

/// Reads the whole of a source once.
///
/// @errors those of the source.
Result<FileDigests> digest_source(const ByteSource& source);

/// Reads the whole of a file once.
///
/// @errors `input`.
Result<FileDigests> digest_file(const std::string& path_utf8);

/// The signature that the gate judged, as far as there is one.
struct SignatureRecord {
  std::string signer;              ///< Name in the config; empty when it was there before the run.
  std::string provider;            ///< "trusted-signing"; empty as above.
  std::string certificate;         ///< Subject, for people.
  std::string certificate_sha256;  ///< Of the DER, lower-case hex.
  std::string digest;              ///< What was signed of the file: "sha256:HEX".
  std::string timestamp;           ///< ISO 8601; empty without one.
  std::string timestamp_by;        ///< URL; empty when unknown.
  std::string reused;  ///< "the journal", "the cache"; empty when it was made for this run.
};

/// What became of one planned file.
struct FileRecord {
  std::string path;   ///< From the manifest's folder, with `/`, UTF-8.
  std::string state;  ///< "signed", "skipped", "sealed", "failed", "not-started"
  std::string step;
  std::string why;                    ///< Why it was skipped or failed.
  std::string format;                 ///< "pe"
  std::optional<FileDigests> before;  ///< Before the run touched it.
  std::optional<FileDigests> after;   ///< When the gate had passed it.
  std::optional<SignatureRecord> signature;
};

/// The run itself.
struct RunRecord {
  std::string id;  ///< 32 hex digits, random.
  std::string version;
  std::string started;  ///< ISO 8601
  std::string ended;
  int exit_code{};
  bool rehearsal{};
  std::string config;          ///< Path as given; empty when there was none.
  std::string config_sha256;   ///< Hex.
  std::string build_sha256{};  ///< Hex; names the build, as audit::build_sha256().
};

/// A planned file and the shard that signs it.
struct PlannedPlace {
  std::string path;  ///< As FileRecord::path.
  std::size_t shard{};
};

/// What a run with `--shard` knows of the whole plan.
struct ShardRecord {
  std::size_t index{};  ///< 1 to `count`
  std::size_t count{};
  std::string plan_sha256;          ///< Hex; the same for all shards of a plan.
  std::vector<PlannedPlace> whole;  ///< The files of all shards, in plan order.
  std::vector<std::string> steps;   ///< Of the plan; "" for files that no step named.
};

struct Manifest {
  RunRecord run;
  std::optional<ShardRecord> shard;   ///< Of a run that did only a part.
  std::vector<RunRecord> parts;       ///< The runs that a merged manifest came from, by shard.
  std::vector<FileRecord> files;      ///< In plan order.
  std::vector<std::string> left_out;  ///< Files that an exclude kept out of the plan.

  /// Whether every planned file was signed or rightly skipped.
  [[nodiscard]] bool complete() const;
};

/// Whether a state is one of those in which a file may be released.
[[nodiscard]] bool is_good_state(std::string_view state);

/// The document "signctl/manifest/1", docs/manifest.md; the same manifest gives the same bytes.
[[nodiscard]] std::string to_text(const Manifest& manifest);

/// Reads what to_text() wrote; members it does not know are passed over.
///
/// @errors `input` for anything else: another schema, more than 64 MiB, a path that is absolute,
///         has `..` anywhere but at its beginning, or stands there twice.
Result<Manifest> parse_manifest(ByteView text);

/// As parse_manifest, from a file.
Result<Manifest> read_manifest(const std::string& path_utf8);

/// `path` as seen from the folder of `manifest_path`, with `/`; both relative to the working
/// directory or absolute.
///
/// @errors `input` when there is no such way (another drive), or the name cannot stand in a
/// manifest.
Result<std::string> path_in_manifest(const std::string& path_utf8,
                                     const std::string& manifest_path_utf8);

/// Inverse: where a file of the manifest is now.
[[nodiscard]] std::string path_from_manifest(const std::string& recorded_utf8,
                                             const std::string& manifest_path_utf8);

}  // namespace signctl::audit
