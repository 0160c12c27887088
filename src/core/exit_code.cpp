// SPDX-License-Identifier: Apache-2.0
#include <signctl/exit_code.hpp>

#include <array>

namespace signctl {

int exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::gate:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::config:
      return 3;
    case ErrorKind::input:
      return 4;
    case ErrorKind::unsupported:
      return 5;
    case ErrorKind::auth:
      return 6;
    case ErrorKind::provider:
      return 7;
    case ErrorKind::timestamp:
      return 8;
    case ErrorKind::network:
      return 9;
    case ErrorKind::guard:
      return 10;
    case ErrorKind::output:
      return 11;
    case ErrorKind::internal:
      return 70;
    case ErrorKind::interrupted:
      return 130;
  }
  return 70;
}

std::string_view kind_name(ErrorKind kind) noexcept {
  const int code = exit_code(kind);
  for (const ExitCode& row : exit_codes()) {
    if (row.code == code) {
      return row.kind;
    }
  }
  return "internal";
}

std::span<const ExitCode> exit_codes() noexcept {
  static constexpr std::array<ExitCode, 14> kTable{{
      {0, "", "everything asked for was done, and passed"},
      {1, "gate", "the gate said no: do not ship"},
      {2, "usage", "the command line is wrong"},
      {3, "config", "the config is wrong"},
      {4, "input", "a file is missing, unreadable or malformed"},
      {5, "unsupported", "this file type, algorithm or combination is not supported"},
      {6, "auth", "credentials missing, refused, expired or not permitted"},
      {7, "provider", "the signing service refused for another reason (quota, disabled key...)"},
      {8, "timestamp", "no acceptable timestamp could be had"},
      {9,
       "network",
       "transient: unreachable, timed out, throttled past the deadline; safe to run again"},
      {10, "guard", "this pipeline may not sign; nothing was touched"},
      {11, "output", "the result could not be written"},
      {70, "internal", "a bug in signctl"},
      {130, "interrupted", "interrupted; every file is old or finished"},
  }};
  return kTable;
}

}  // namespace signctl
