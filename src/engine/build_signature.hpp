// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/sign_file.hpp"

#include <signctl/bytes.hpp>
#include <signctl/format.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl::engine {

/// A signature up to, but not including, the signature value.
struct UnsignedSignature {
  SigningContent content;
  Bytes attributes_set;  ///< DER SET OF signed attributes: its hash is what a key signs.
  Bytes to_be_signed;    ///< That hash.
  SignatureProfile profile;
  Bytes signer;  ///< DER of the certificate that the attributes name; empty if they name none.
};

/// Who signs and when, for signatures that say so.
struct Signatory {
  Bytes certificate;  ///< DER.
  TimePoint at{};
};

/// How a new signature goes with those that are there.
struct Placement {
  std::vector<Bytes> kept;  ///< Top-level ContentInfos that stay, in order.
  bool nested{false};       ///< The new one goes into the first of them.
};

/// Where a new signature goes under `if_signed`, given what the file holds. `fail` has been dealt
/// with before.
///
/// @errors `unsupported` when no signature can join those that are there.
Result<Placement> place(Signable& file, IfSigned if_signed);

/// Tells the file what is asked of the signature that comes next. prepare() does so as well.
///
/// @errors `unsupported` when the file cannot have that.
Result<void> announce(Signable& file, const SignOptions& options, const Placement& placement);

/// The top-level signatures of the file once `cms` has been put in its place.
Result<std::vector<Bytes>> combine(Placement placement, Bytes cms);

/// Whether signatures of this file name their signer and the time inside what is signed, so that no
/// key elsewhere can make the value alone.
[[nodiscard]] bool names_signatory(const Signable& file);

/// Content and signed attributes for one file.
///
/// @param by  Who signs, where names_signatory() holds.
/// @errors `unsupported` when it holds and `by` is empty.
Result<UnsignedSignature> prepare(Signable& file,
                                  const SignOptions& options,
                                  const Placement& placement,
                                  const std::optional<Signatory>& by = {});

/// Checks a signature value against the key of the certificate that came with it.
///
/// @errors `provider` when it is not by that certificate.
Result<void> check_made(const UnsignedSignature& prepared, const SignedDigest& made);

/// A finished ContentInfo.
struct FinishedSignature {
  Bytes cms;
  std::string timestamp_source;  ///< Empty without a timestamp.
};

/// Has the signature timestamped when `timestamper` is given, and assembles the SignedData.
///
/// @param made  One that passed check_made(), or was found on a shelf.
Result<FinishedSignature> finish(const UnsignedSignature& prepared,
                                 const SignedDigest& made,
                                 const SignOptions& options,
                                 Timestamper* timestamper);

}  // namespace signctl::engine
