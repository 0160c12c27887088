// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/finding.hpp>
#include <signctl/report.hpp>

#include <map>
#include <string>
#include <vector>

namespace signctl {

/// Whose tolerance is applied.
enum class Profile {
  strict,  ///< Everything that is not covered by the signature, or not as it should be, fails.
  compat_windows,  ///< What Windows lets pass becomes a warning.
};

enum class TimestampRule { required, optional };

/// Whether signatures made with rehearsal certificates may pass.
enum class RehearsalRule { refuse, accept };

/// What becomes of unsigned and badly signed files inside the judged one.
enum class NestedRule {
  off,             ///< Nobody looks inside.
  report,          ///< They are warnings.
  require_signed,  ///< They are errors.
};

/// Who must have signed. Every member that is given must match; all empty means anybody trusted.
struct IdentityRule {
  std::map<std::string, std::string> subject;  ///< Attribute name ("CN", "O") to exact value.
  std::vector<std::string> eku;   ///< Dotted OIDs that the leaf must carry, all of them.
  std::string sha256_thumbprint;  ///< Lower-case hex of the leaf; empty for any.
  std::string sha1_thumbprint;    ///< The same with SHA-1, as Windows shows it; empty for any.
  std::string cn_part;    ///< Text that the leaf's CN must hold, in any case; empty for any.
  std::string issuer_cn;  ///< CN of the issuer; empty for any.
  [[nodiscard]] bool empty() const {
    return subject.empty() && eku.empty() && sha256_thumbprint.empty() && sha1_thumbprint.empty() &&
           cn_part.empty() && issuer_cn.empty();
  }
};

/// The gate's rules. Defaults are the strict choice.
struct GateRules {
  Profile profile{Profile::strict};
  TimestampRule timestamp{TimestampRule::required};
  RehearsalRule rehearsal{RehearsalRule::refuse};
  IdentityRule identity;  ///< Of the file itself; inside, others' files are at home.
  NestedRule nested{NestedRule::off};
};

/// What the gate says. Passed only if nothing objected; default-constructed it has not passed.
struct Verdict {
  bool passed{false};
  std::vector<Finding>
      findings;           ///< The report's findings with final severities, and the rules' own.
  bool rehearsal{false};  ///< Some certificate carries the rehearsal marker.

  /// Findings of severity error, in order.
  [[nodiscard]] std::vector<Finding> objections() const;
};

/// What the rules object to in the files inside, in order; of severity error, or warning when
/// NestedRule::report. The subject begins with the path inside: "app.cab/a.exe, signature 1".
[[nodiscard]] std::vector<Finding> judge_inside(const Report& report, const GateRules& rules);

/// Judges a report. Pure: no I/O, no clock; the times are in the report.
[[nodiscard]] Verdict judge(const Report& report, const GateRules& rules);

}  // namespace signctl
