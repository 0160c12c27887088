// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "seal/dependent.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace signctl::seal {

/// The bytes of files as they will be, and their hashes.
class Bodies {
 public:
  /// Says what a dependent will be. `real` as real_name() gives it.
  void put(const std::string& real, const std::string& text);

  /// Says that a hash will be asked for: those that are known are made in one pass.
  void want(DigestAlg alg) { wanted_.insert(alg); }

  Result<std::shared_ptr<const ByteSource>> open(const std::string& path) const;
  Result<Bytes> digest(const std::string& path, DigestAlg alg);

 private:
  std::map<std::string, std::shared_ptr<const ByteSource>> future_;
  std::map<std::pair<std::string, DigestAlg>, Bytes> digests_;
  std::set<DigestAlg> wanted_;
};

/// What a slot has to say of the file at `path`, written as the old value is; empty for those that
/// are no value of ours.
///
/// @errors those of reading; `input` when a signature inside the file is asked for and there is
/// none.
Result<std::optional<std::string>> right_value(const Slot& slot,
                                               std::string_view old,
                                               const std::string& path,
                                               Bodies& bodies);

}  // namespace signctl::seal
