// SPDX-License-Identifier: Apache-2.0
#include "formats/vsix/package.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "formats/common/zip_inflate.hpp"
#include "formats/vsix/names.hpp"

#include <utility>

namespace signctl::vsix {

namespace {

constexpr std::uint64_t kMaxXml = std::uint64_t{16} << 20U;
constexpr std::uint64_t kMaxCertificate = std::uint64_t{1} << 20U;
constexpr std::size_t kMaxSignatures = 16;

}  // namespace

Result<Package> Package::read(std::shared_ptr<const ByteSource> source) {
  Package package;
  package.source_ = std::move(source);
  SIGNCTL_TRY(package.archive_, zip::read_archive(*package.source_, zip::Strictness::package), "");
  const auto types = package.archive_.find(kContentTypesName);
  if (!types) {
    return Error{ErrorKind::input, "the package has no " + std::string(kContentTypesName)};
  }
  package.types_entry_ = *types;
  SIGNCTL_TRY(const Bytes text,
              zip::unpack_small(*package.source_, package.archive_.entries[*types], kMaxXml),
              "");
  SIGNCTL_TRY(package.types_, ContentTypes::parse(text), "");
  SIGNCTL_CHECK(package.list_parts(), "");
  SIGNCTL_CHECK(package.find_signatures(), "reading the relationships of the package");
  return package;
}

Result<void> Package::list_parts() {
  for (std::size_t i = 0; i < archive_.entries.size(); ++i) {
    const zip::Entry& entry = archive_.entries[i];
    if (i == types_entry_) {
      continue;
    }
    if (entry.is_folder()) {
      if (entry.size != 0) {
        return Error{ErrorKind::input,
                     "folder \"" + zip::display_name(entry) + "\" of the package holds bytes"};
      }
      continue;
    }
    SIGNCTL_TRY(std::string key, part_key(entry.name), "");
    if (!by_key_.emplace(key, parts_.size()).second) {
      return Error{ErrorKind::input,
                   "the package has two parts of the name " + zip::display_name(entry)};
    }
    std::string type = types_.type_of(key);
    parts_.push_back({i, std::move(key), std::move(type)});
  }
  of_signature_.resize(parts_.size());
  return ok();
}

std::optional<std::size_t> Package::find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

const std::string& Package::name_of(std::size_t part) const {
  return archive_.entries[parts_[part].entry].name;
}

bool Package::is_of_signature(std::size_t part) const {
  return of_signature_[part];
}

Result<Bytes> Package::read_part(std::size_t part) const {
  return zip::unpack_small(*source_, archive_.entries[parts_[part].entry], kMaxXml);
}

Result<std::vector<Relationship>> Package::read_relationships(std::size_t part) const {
  SIGNCTL_TRY(const Bytes xml, read_part(part), "");
  SIGNCTL_TRY(auto relationships, parse_relationships(xml), "reading " + printable(name_of(part)));
  return relationships;
}

Result<std::vector<Relationship>> Package::relationships_of(std::size_t part) {
  SIGNCTL_TRY(const std::string key, part_key(relationships_name(name_of(part))), "");
  const auto at = find(key);
  if (!at) {
    return std::vector<Relationship>{};
  }
  // Whatever else it leads to, nobody but the reader of signatures follows it.
  of_signature_[*at] = key.starts_with("/" + std::string(kOwnFolder));
  return read_relationships(*at);
}

Result<void> Package::find_signatures() {
  SIGNCTL_TRY(const std::string root_key, part_key(kRootRelationshipsName), "");
  if (const auto root = find(root_key)) {
    SIGNCTL_TRY(root_, read_relationships(*root), "");
  }
  std::optional<std::size_t> origin;
  for (const Relationship& one : root_) {
    if (one.type != kOriginRelationship) {
      continue;
    }
    const auto at = one.is_of_signature() ? find(target_key("/", one.target)) : std::nullopt;
    if (origin || !at || parts_[*at].type != kOriginType) {
      return Error{ErrorKind::input,
                   "the package has not exactly one digital-signature origin part"};
    }
    origin = at;
  }
  if (!origin) {
    return ok();
  }
  // It has no content (OPC, 13.2.2), so that there is nothing in it to cover.
  of_signature_[*origin] = archive_.entries[parts_[*origin].entry].size == 0;
  SIGNCTL_TRY(const auto relationships, relationships_of(*origin), "");
  for (const Relationship& one : relationships) {
    const auto at = find(target_key(parts_[*origin].key, one.target));
    if (one.type != kSignatureRelationship || !one.is_of_signature() || !at ||
        parts_[*at].type != kSignatureType || signatures_.size() == kMaxSignatures) {
      return Error{ErrorKind::input,
                   "the digital-signature origin leads to something that is no signature: " +
                       printable(one.target)};
    }
    SIGNCTL_CHECK(add_signature(*at), "");
  }
  return ok();
}

Result<void> Package::add_signature(std::size_t part) {
  StoredSignature stored;
  stored.part = part;
  SIGNCTL_TRY(stored.xml, read_part(part), "");
  of_signature_[part] = true;
  SIGNCTL_TRY(const auto relationships, relationships_of(part), "");
  for (const Relationship& one : relationships) {
    const auto at = find(target_key(parts_[part].key, one.target));
    if (one.type != kCertificateRelationship || !one.is_of_signature() || !at ||
        parts_[*at].type != kCertificateType) {
      return Error{
          ErrorKind::input,
          "a signature part leads to something that is no certificate: " + printable(one.target)};
    }
    SIGNCTL_TRY(const Bytes der,
                zip::unpack_small(*source_, archive_.entries[parts_[*at].entry], kMaxCertificate),
                "");
    SIGNCTL_TRY(const auto certificate, crypto::Certificate::parse(der), "reading a certificate");
    stored.certificates.push_back(certificate.der());
    of_signature_[*at] = true;
  }
  signatures_.push_back(std::move(stored));
  return ok();
}

Result<Bytes> Package::digest(std::size_t part, DigestAlg alg) {
  const auto known = digests_.find({part, alg});
  if (known != digests_.end()) {
    return known->second;
  }
  crypto::Hasher hasher(alg);
  SIGNCTL_CHECK(zip::unpack(*source_,
                            archive_.entries[parts_[part].entry],
                            [&](ByteView block) {
                              hasher.update(block);
                              return ok();
                            }),
                "");
  Bytes digest = hasher.finish();
  digests_.emplace(std::pair(part, alg), digest);
  return digest;
}

}  // namespace signctl::vsix
