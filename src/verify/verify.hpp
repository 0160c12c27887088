// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/format.hpp>
#include <signctl/report.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <memory>

namespace signctl::verify {

/// Which anchors count, and when.
struct Options {
  std::shared_ptr<const TrustStore> store;  ///< Never null; an empty composite trusts nothing.
  /// Trust each signature's own self-signed certificate, and self-signed rehearsal authorities
  /// (`--dev`, `gate.trust: signer`).
  bool trust_signer{false};
  TimePoint now{};
};

/// Establishes every fact about the signatures of one file: the algorithm of docs/verification.md.
/// Every signature, nested ones included, is checked on its own, and judged twice: at `now` and one
/// day after its leaf expires. An unsigned file gives a report with the finding "unsigned".
///
/// @errors `input` only when the file cannot be read or its headers cannot be parsed. A bad
///         signature is a finding.
Result<Report> verify_file(Signable& file, const Options& options);

}  // namespace signctl::verify
