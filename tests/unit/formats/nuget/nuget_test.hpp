// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/keys.hpp"
#include "support/cms_builder.hpp"
#include "support/zip_builder.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>

#include <memory>
#include <string>

/// Packages and signatures made to order. Independent of src/formats/nuget and of what src/cms
/// writes: they are what these are tested against.
namespace signctl::test {

/// RSA throughout, as NuGet wants it.
const crypto::KeyBundle& nuget_root();
const crypto::KeyBundle& nuget_author();
const crypto::KeyBundle& nuget_repository();

/// A small package without a signature.
ZipSpec nuget_package();
/// The entry that holds a signature.
ZipFile signature_file(const Bytes& cms);
/// The package with a signature behind the other files.
Bytes with_signature(ZipSpec package, const Bytes& cms);

/// The text that is signed, over `archive` as it stands.
std::string text_over(const Bytes& archive, DigestAlg alg = DigestAlg::sha256);

/// What the NuGet client makes of `text` when an author signs it.
CmsRecipe author_recipe(const crypto::KeyBundle& identity, const std::string& text);
/// The same of a repository.
CmsRecipe repository_recipe(const crypto::KeyBundle& identity, const std::string& text);
/// A repository's SignerInfo beside another signature, whose value it is over.
SignerRecipe countersigner_recipe(const crypto::KeyBundle& identity, const Bytes& value);

/// Values of the attributes of a repository.
Bytes service_index_url(const std::string& url);
Bytes package_owners(const std::vector<std::string>& names);

/// `cms` with a counter-signature by `identity`, whose certificates `cms` must hold already.
Bytes countersigned(const Bytes& cms, const crypto::KeyBundle& identity);

}  // namespace signctl::test
