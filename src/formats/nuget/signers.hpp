// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <string>
#include <vector>

/// Who signed a package and as what: the author, or a repository that received it (NuGet, "Package
/// Signatures Technical Details" and "Repository Signatures and Countersignatures").
namespace signctl::nuget {

enum class Role { author, repository, unknown };

/// What one signature says of itself.
struct SignerFacts {
  Role role{Role::unknown};
  std::string service_index_url;    ///< Of a repository; safe for a terminal.
  std::vector<std::string> owners;  ///< At a repository; safe for a terminal.
};

/// The primary signature and those that stand beside it.
struct Signers {
  SignerFacts primary;
  std::vector<SignerFacts> beside;
  std::vector<Finding> findings;  ///< "nuget-signature-type", "nuget-repository".
};

/// Reads the roles, and what NuGet demands of them: one role each; one primary signature; at most
/// one repository beside an author and none beside a repository; a repository names its service
/// index, https, and its owners, if any, in the right form. What cannot be read is left to the
/// checks of CMS.
///
/// @param cms    DER ContentInfo.
/// @param label  Of the signature, for the findings.
[[nodiscard]] Signers read_signers(ByteView cms, const std::string& label);

/// "nuget-certificate" for what NuGet's clients refuse in a signing certificate: keys other than
/// RSA of 2048 bits and more, a signature by another algorithm than RSA with SHA-2, lifetime
/// signing, no extended key usage for code signing.
///
/// @errors `input` when `leaf_der` is no certificate.
Result<std::vector<Finding>> check_certificate(ByteView leaf_der);

}  // namespace signctl::nuget
