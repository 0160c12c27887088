// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace signctl {

class Signable;

/// What a Signable can do besides, if looking through its content takes long and the digest covers
/// all that is looked at: not do it twice in one run.
class CarriesFindings {
 public:
  virtual ~CarriesFindings() = default;

  /// Says that this file was made from `original` by embedding a signature. What was found in the
  /// content before it was signed is taken over as soon as this file's own digest, computed from
  /// its own bytes, has turned out to be the one that was signed; else the content is looked
  /// through as if nothing had been said.
  ///
  /// @param original  The Signable whose content_to_sign() was asked; need not outlive the call.
  virtual void carry_findings(const Signable& original) = 0;
};

}  // namespace signctl
