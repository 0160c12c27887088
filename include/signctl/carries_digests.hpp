// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

namespace signctl {

class Signable;

/// What a Signable can do besides, if its format's digest leaves out exactly what signing changes:
/// go on from digests that were computed over the same file before its last edits.
class CarriesDigests {
 public:
  virtual ~CarriesDigests() = default;

  /// Takes over what `earlier` has computed, but only if no byte that went into it was touched.
  ///
  /// @param earlier  The same file, opened and read before `edits` were applied to it.
  /// @param edits    Everything that was done to the file since.
  /// @return  False when nothing could be taken over: then everything is computed afresh.
  /// @errors `input` when the file cannot be read.
  virtual Result<bool> carry_over(const Signable& earlier, const PatchSet& edits) = 0;
};

}  // namespace signctl
