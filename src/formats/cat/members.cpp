// SPDX-License-Identifier: Apache-2.0
#include "formats/cat/members.hpp"

#include "core/text.hpp"
#include "crypto/oids.hpp"

#include <chrono>
#include <map>
#include <string>

namespace signctl::cat {
namespace {

/// The name under which catalogs store that of the file.
constexpr std::string_view kFile = "File";

std::string version_of(const Ctl& ctl) {
  if (ctl.subject_algorithm == oid::kCatalogMember) {
    return "1";
  }
  if (ctl.subject_algorithm == oid::kCatalogMemberV2) {
    return "2";
  }
  return "unknown (" + ctl.subject_algorithm + ")";
}

std::string kind_of(const CtlMember& member) {
  if (member.data_type == oid::kSpcPeImageData) {
    return " PE image";
  }
  if (member.data_type == oid::kSpcCabData) {
    return " flat file or cabinet";
  }
  return "";
}

std::string name_of(const CtlMember& member) {
  for (const auto& [name, value] : member.names) {
    if (name == kFile) {
      return value;
    }
  }
  return "";
}

/// "sha256 7bb3... PE image, app.exe"
std::string describe(const CtlMember& member) {
  std::string text;
  if (member.alg) {
    text = std::string(digest_name(*member.alg)) + " " + to_hex(member.digest);
  } else {
    text = to_hex(member.tag.empty() ? member.identifier : member.tag);
  }
  text += kind_of(member);
  const std::string name = name_of(member);
  return name.empty() ? text : text + ", " + name;
}

}  // namespace

std::vector<Finding> check_members(const Ctl& ctl) {
  std::vector<Finding> findings;
  std::map<Bytes, std::size_t> seen;
  for (std::size_t i = 0; i < ctl.members.size(); ++i) {
    const CtlMember& member = ctl.members[i];
    const std::string number = std::to_string(i + 1);
    const std::string tag = to_hex(member.tag.empty() ? member.identifier : member.tag);
    if (!member.digest.empty() && member.digest.size() == member.tag.size() &&
        member.digest != member.tag) {
      findings.push_back({"cat-member-digest",
                          Severity::error,
                          "file",
                          "member " + number + " is named " + tag + " but carries the digest " +
                              to_hex(member.digest)});
    }
    const auto [before, is_new] = seen.emplace(member.identifier, i);
    if (is_new) {
      continue;
    }
    const bool same = ctl.members[before->second].digest == member.digest;
    findings.push_back({same ? "cat-duplicate-member" : "cat-conflicting-members",
                        same ? Severity::warning : Severity::error,
                        "file",
                        "members " + std::to_string(before->second + 1) + " and " + number +
                            " have the same name, " + tag +
                            (same ? "" : ", and different digests")});
  }
  return findings;
}

std::vector<FileFact> facts_of(const Ctl& ctl) {
  const TimePoint made{std::chrono::seconds(ctl.this_update)};
  std::vector<FileFact> facts{
      {"usage", ctl.usage == oid::kCatalogList ? "catalog" : ctl.usage},
      {"catalog version", version_of(ctl)},
      {"list identifier", to_hex(ctl.list_identifier)},
      {"made", to_iso8601(made)},
  };
  for (const auto& [name, value] : ctl.names) {
    facts.push_back({"attribute", name + " = " + value});
  }
  facts.push_back({"members", std::to_string(ctl.members.size())});
  for (const CtlMember& member : ctl.members) {
    facts.push_back({"member", describe(member)});
  }
  return facts;
}

std::vector<VouchedFile> vouched_files(const Ctl& ctl) {
  std::vector<VouchedFile> files;
  if (ctl.usage != oid::kCatalogList) {
    return files;
  }
  for (const CtlMember& member : ctl.members) {
    files.push_back({name_of(member), member.tag, member.alg, member.digest});
  }
  return files;
}

}  // namespace signctl::cat
