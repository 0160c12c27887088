// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/files.hpp"

#include "core/block_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/clickonce/names.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace signctl::clickonce {

namespace {

using xml::Element;

/// A file and the hash that the manifest has of it.
struct Entry {
  std::string name;
  std::string size;  ///< Decimal, as the manifest has it; empty if it does not say.
  DigestAlg alg{DigestAlg::sha256};
  Bytes digest;
};

std::optional<Entry> read_entry(const Element& element, const char* name_attribute) {
  const Element hash = element.only(kAsmV2, "hash");
  const auto name = element.attribute(name_attribute);
  const auto method = hash.only(kDsig, "DigestMethod").attribute("Algorithm").value_or("");
  const auto alg = find_digest_alg(std::string_view(method).substr(method.rfind('#') + 1));
  const auto digest = from_base64(hash.only(kDsig, "DigestValue").text());
  if (!name || !alg || !digest || digest->empty()) {
    return std::nullopt;
  }
  Entry entry{*name, element.attribute("size").value_or(""), *alg, *digest};
  std::replace(entry.name.begin(), entry.name.end(), '\\', '/');
  return entry;
}

std::vector<Entry> entries_of(const Element& root) {
  std::vector<Entry> entries;
  const auto add = [&](std::optional<Entry> entry) {
    if (entry) {
      entries.push_back(std::move(*entry));
    }
  };
  for (const Element& file : root.children(kAsmV2, "file")) {
    add(read_entry(file, "name"));
  }
  for (const Element& dependency : root.children(kAsmV2, "dependency")) {
    for (const Element& one : dependency.children(kAsmV2, "dependentAssembly")) {
      add(read_entry(one, "codebase"));
    }
  }
  return entries;
}

/// Only names below the manifest's folder are followed.
bool is_below(const std::string& name) {
  return !name.empty() && name.front() != '/' && name.find(':') == std::string::npos &&
         ("/" + name + "/").find("/../") == std::string::npos;
}

Result<Bytes> hash_file(const FileSource& source, DigestAlg alg) {
  crypto::Hasher hasher(alg);
  BlockVisitor visitor;
  visitor.visit = [&](std::uint64_t /*offset*/, ByteView block) {
    hasher.update(block);
    return true;
  };
  SIGNCTL_CHECK(for_each_block(source, 0, source.size(), visitor), "");
  return hasher.finish();
}

/// Where the files are, looked for once each: a manifest may name one a hundred thousand times.
class Folder {
 public:
  explicit Folder(const std::string& manifest_path) : known_(!manifest_path.empty()) {
    const auto slash = manifest_path.find_last_of("/\\");
    prefix_ = slash == std::string::npos ? std::string() : manifest_path.substr(0, slash + 1);
  }

  /// Path of the file; empty if there is none.
  const std::string& find(const std::string& name) {
    const auto [at, is_new] = paths_.try_emplace(name);
    if (is_new && known_ && is_below(name)) {
      for (const std::string& path : {prefix_ + name, prefix_ + name + ".deploy"}) {
        if (FileSource::open(path)) {
          at->second = path;
          break;
        }
      }
    }
    return at->second;
  }

  /// Whether the file at `path` is what the manifest says; empty when it cannot be read.
  std::optional<bool> agrees(const std::string& path, const Entry& entry) {
    const auto source = FileSource::open(path);
    if (!source) {
      return std::nullopt;
    }
    if (!entry.size.empty() && entry.size != std::to_string((*source)->size())) {
      return false;
    }
    auto known = hashes_.find({path, entry.alg});
    if (known == hashes_.end()) {
      auto hash = hash_file(**source, entry.alg);
      if (!hash) {
        return std::nullopt;
      }
      known = hashes_.emplace(std::pair(path, entry.alg), std::move(*hash)).first;
    }
    return known->second == entry.digest;
  }

 private:
  bool known_;
  std::string prefix_;
  std::map<std::string, std::string> paths_;
  std::map<std::pair<std::string, DigestAlg>, Bytes> hashes_;
};

}  // namespace

std::vector<NamedFile> named_files(const Element& root, const std::string& manifest_path) {
  Folder folder(manifest_path);
  std::vector<NamedFile> named;
  std::set<std::string> seen;
  for (const Entry& entry : entries_of(root)) {
    if (seen.insert(entry.name).second) {
      named.push_back({entry.name, folder.find(entry.name)});
    }
  }
  return named;
}

void check_files(const Element& root,
                 const std::string& manifest_path,
                 std::vector<Finding>& findings) {
  Folder folder(manifest_path);
  std::size_t absent = 0;
  for (const Entry& entry : entries_of(root)) {
    const std::string& path = folder.find(entry.name);
    const auto agrees = path.empty() ? std::nullopt : folder.agrees(path, entry);
    if (!agrees) {
      ++absent;
    } else if (!*agrees) {
      findings.push_back(
          {"clickonce-file-changed",
           Severity::error,
           "file",
           "the manifest has another hash or size of " + printable(entry.name) +
               " than the file beside it",
           Judgement::now,
           "sign files first, then update the manifest (mage -Update), then sign it"});
    }
  }
  if (absent > 0) {
    findings.push_back({"clickonce-files-unchecked",
                        Severity::info,
                        "file",
                        std::to_string(absent) +
                            " file(s) that the manifest names are not beside it and were not "
                            "compared with their hashes"});
  }
}

}  // namespace signctl::clickonce
