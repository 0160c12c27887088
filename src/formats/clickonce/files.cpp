// SPDX-License-Identifier: Apache-2.0
#include "formats/clickonce/files.hpp"

#include "core/block_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "formats/clickonce/names.hpp"

#include <algorithm>
#include <optional>

namespace signctl::clickonce {

namespace {

using xml::Element;

/// A file and the hash that the manifest has of it.
struct Entry {
  std::string name;
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
  Entry entry{*name, *alg, *digest};
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

std::optional<Bytes> hash_file(const std::string& path, DigestAlg alg) {
  const auto source = FileSource::open(path);
  if (!source) {
    return std::nullopt;
  }
  crypto::Hasher hasher(alg);
  BlockVisitor visitor;
  visitor.visit = [&](std::uint64_t /*offset*/, ByteView block) {
    hasher.update(block);
    return true;
  };
  if (!for_each_block(**source, 0, (*source)->size(), visitor)) {
    return std::nullopt;
  }
  return hasher.finish();
}

}  // namespace

void check_files(const Element& root,
                 const std::string& manifest_path,
                 std::vector<Finding>& findings) {
  const auto slash = manifest_path.find_last_of("/\\");
  const std::string folder =
      slash == std::string::npos ? std::string() : manifest_path.substr(0, slash + 1);
  std::size_t absent = 0;
  for (const Entry& entry : entries_of(root)) {
    std::optional<Bytes> found;
    if (!manifest_path.empty() && is_below(entry.name)) {
      found = hash_file(folder + entry.name, entry.alg);
      found = found ? found : hash_file(folder + entry.name + ".deploy", entry.alg);
    }
    if (!found) {
      ++absent;
    } else if (*found != entry.digest) {
      findings.push_back(
          {"clickonce-file-changed",
           Severity::error,
           "file",
           "the manifest has another hash of " + printable(entry.name) + " than the file beside it",
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
