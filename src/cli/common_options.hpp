// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/flags.hpp"

#include <optional>
#include <string>
#include <vector>

// Groups of flags that several commands share. An empty text means that the flag was not given.
namespace signctl::cli {

struct ConfigFlags {
  std::string file;
};
void declare(Flags& flags, ConfigFlags& target);

struct SignerFlags {
  std::string name;
  std::string provider;
  std::vector<std::string> pairs;
  std::string chain;
};
void declare(Flags& flags, SignerFlags& target);

/// The digest that a new signature is to be of, by name; empty for that of the config.
void declare_digest(Flags& flags, std::string& target);

/// What a new signature is to be.
struct SignatureFlags {
  std::string digest;
  std::string description;
  std::string url;
  bool page_hashes{false};
};
void declare(Flags& flags, SignatureFlags& target);

/// Whether to sign what is inside first.
struct DeepFlags {
  bool deep{false};
};
void declare(Flags& flags, DeepFlags& target);

/// What to do with files that are signed already.
struct ExistingFlags {
  std::string if_signed;
  bool append{false};
};
void declare(Flags& flags, ExistingFlags& target);

struct TimestampFlags {
  std::vector<std::string> servers;
  std::string digest;
  bool none{false};
};
/// Whether `--no-timestamp` makes sense for a command.
enum class TimestampNeed { may_be_left_out, always };
void declare(Flags& flags, TimestampFlags& target, TimestampNeed need);

struct TrustFlags {
  std::vector<std::string> certificates;
  bool development{false};
  std::string compat;
};
void declare(Flags& flags, TrustFlags& target);

/// Who must have signed.
struct IdentityFlags {
  std::vector<std::string> subject;
  std::vector<std::string> eku;
  std::string issuer;
  std::string thumbprint;
  std::string name;
};
void declare(Flags& flags, IdentityFlags& target);

/// Rules that `verify` takes from the command line.
struct ExpectFlags {
  std::string timestamp;
  IdentityFlags identity;
  bool deep{false};
};
void declare(Flags& flags, ExpectFlags& target);

/// Which files.
struct FileFlags {
  std::vector<std::string> files;
  std::string step;
};
void declare(Flags& flags, FileFlags& target);

/// Where results go; in place unless said.
struct TargetFlags {
  std::string output;
  std::string output_dir;
};
void declare(Flags& flags, TargetFlags& target);

struct RunFlags {
  std::optional<int> jobs;
  bool keep_going{false};
  std::optional<int> max_signatures;
  std::string journal;
  std::string cache;
};
void declare(Flags& flags, RunFlags& target);

/// What a run writes down for later.
struct AuditFlags {
  std::string log;
  std::string manifest;
};
void declare(Flags& flags, AuditFlags& target);

/// A file about the whole batch.
struct ReportFlags {
  std::string file;
  std::string format;
};
void declare(Flags& flags, ReportFlags& target);

}  // namespace signctl::cli
