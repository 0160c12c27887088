// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/engine.hpp>
#include <signctl/finding.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <vector>

namespace signctl::engine {

/// Refuses a certificate that the file itself rules out.
///
/// @errors `input` with what the file says.
Result<void> check_fits_file(Signable& file, ByteView leaf_der);

/// What the gate will refuse about the signer's certificate whatever the file: key, purpose and
/// identity. Looked at before a signature is spent; the gate judges all of it again afterwards.
///
/// @return         Findings of severity error; empty also when a certificate is known only from the
///                 signature that it comes with.
/// @errors `auth`  when the certificate is not valid now.
/// @errors `input` when the file rules the certificate out.
Result<std::vector<Finding>> check_expected_chain(Signable& file, const Stages& stages);

}  // namespace signctl::engine
