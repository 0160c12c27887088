// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/engine.hpp>
#include <signctl/finding.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <span>
#include <vector>

namespace signctl::engine {

/// Refuses a certificate that the file itself rules out.
///
/// @errors `input` with what the file says.
Result<void> check_fits_file(Signable& file, ByteView leaf_der);

/// What the gate will refuse about a signer's chain whatever the file: that it does not lead to an
/// anchor, keys, purposes and identity. Timestamps play no part, nor does what is right already.
///
/// @param chain    As sessions give it: leaf first, not empty.
/// @return         Findings of severity error, with hints.
/// @errors `input` when a certificate cannot be read.
Result<std::vector<Finding>> object_to_signer(std::span<const Bytes> chain,
                                              const Gate& gate,
                                              TimePoint now);

/// object_to_signer() for the chain that the session expects. Looked at before a signature is
/// spent; the gate judges all of it again afterwards.
///
/// @return         Findings of severity error; empty also when a certificate is known only from the
///                 signature that it comes with.
/// @errors `auth`  when the certificate is not valid now.
/// @errors `input` when the file rules the certificate out.
Result<std::vector<Finding>> check_expected_chain(Signable& file, const Stages& stages);

}  // namespace signctl::engine
