// SPDX-License-Identifier: Apache-2.0
#include "core/block_reader.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "engine/gate.hpp"
#include "engine/opened_file.hpp"
#include "engine/sign_file.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace signctl::engine {

namespace {

using Digests = std::map<DigestAlg, Bytes>;

/// From the one that is believed first. MD5 members are not looked at.
constexpr std::array kAlgorithms{
    DigestAlg::sha512, DigestAlg::sha384, DigestAlg::sha256, DigestAlg::sha1};

/// The algorithms that the catalog names files by.
std::vector<DigestAlg> algorithms_of(const std::vector<VouchedFile>& files) {
  std::vector<DigestAlg> algs;
  for (const DigestAlg alg : kAlgorithms) {
    const bool is_used = std::any_of(files.begin(), files.end(), [alg](const VouchedFile& file) {
      return file.alg == alg || file.tag.size() == digest_size(alg);
    });
    if (is_used) {
      algs.push_back(alg);
    }
  }
  return algs;
}

/// The file under judgement: the digests of its bytes, and those of its type if it has one.
struct Judged {
  std::string format;  ///< "file" for what signctl does not sign.
  std::uint64_t size{};
  std::optional<Digests> of_type;
  std::vector<Finding> container;  ///< What the digests of its type do not cover, and the like.
  Digests of_bytes;
};

Result<Digests> hash_bytes(const ByteSource& source, const std::vector<DigestAlg>& algs) {
  std::vector<crypto::Hasher> hashers;
  for (const DigestAlg alg : algs) {
    hashers.emplace_back(alg);
  }
  BlockVisitor visitor;
  visitor.visit = [&hashers](std::uint64_t /*offset*/, ByteView block) {
    for (crypto::Hasher& hasher : hashers) {
      hasher.update(block);
    }
    return true;
  };
  SIGNCTL_CHECK(for_each_block(source, 0, source.size(), visitor), "hashing the file");
  Digests digests;
  for (std::size_t i = 0; i < algs.size(); ++i) {
    digests[algs[i]] = hashers[i].finish();
  }
  return digests;
}

/// Adds the digests of its type; none for a type that is not known, and for a malformed file.
void add_digests_of_type(const std::string& path,
                         const std::vector<DigestAlg>& algs,
                         Judged& judged) {
  auto opened = open_file(path);
  if (!opened) {
    return;
  }
  auto values = opened->signable->file_digests(algs);
  auto container = opened->signable->container_findings();
  if (!values || !container) {
    return;
  }
  judged.format = std::string(opened->format->name());
  judged.container = std::move(*container);
  judged.of_type.emplace();
  for (std::size_t i = 0; i < algs.size(); ++i) {
    judged.of_type->emplace(algs[i], std::move((*values)[i]));
  }
}

Result<Judged> look_at(const std::string& path, const std::vector<DigestAlg>& algs) {
  Judged judged{"file", 0, {}, {}, {}};
  SIGNCTL_TRY(const auto source, FileSource::open(path), "");
  judged.size = source->size();
  add_digests_of_type(path, algs, judged);
  SIGNCTL_TRY(judged.of_bytes, hash_bytes(*source, algs), "verifying " + path);
  return judged;
}

/// What the catalog says of a file with certain digests.
struct Lookup {
  const VouchedFile* member{};  ///< Null if no member is named by one of them.
  DigestAlg alg{DigestAlg::sha256};
  bool agrees{false};  ///< The digest that the member carries is the file's, too.
};

/// Windows finds a member by its name, so one that merely carries the digest does not count.
Lookup look_up(const std::vector<VouchedFile>& files, const Digests& digests) {
  Lookup contradicted;
  for (const DigestAlg alg : kAlgorithms) {
    const auto digest = digests.find(alg);
    if (digest == digests.end()) {
      continue;
    }
    for (const VouchedFile& file : files) {
      if (file.tag != digest->second) {
        continue;
      }
      const auto carried = file.alg ? digests.find(*file.alg) : digests.end();
      const bool agrees = !file.alg || (carried != digests.end() && carried->second == file.digest);
      if (agrees) {
        return {&file, alg, true};
      }
      contradicted = {&file, alg, false};
    }
  }
  return contradicted;
}

Finding finding_of(std::string id, Severity severity, std::string message) {
  return {std::move(id), severity, "file", std::move(message)};
}

/// Whether the file is in the catalog, as findings.
std::vector<Finding> membership(const Lookup& found, const Judged& judged) {
  if (found.member == nullptr) {
    const Digests& digests = judged.of_type ? *judged.of_type : judged.of_bytes;
    std::string text = "the catalog does not list this file";
    for (const auto& [alg, digest] : digests) {
      text += ", " + std::string(digest_name(alg)) + " " + to_hex(digest);
    }
    return {finding_of("catalog-no-member", Severity::error, text)};
  }
  const std::string name = std::string(digest_name(found.alg)) + " " + to_hex(found.member->tag);
  if (!found.agrees) {
    return {finding_of("catalog-member-mismatch",
                       Severity::error,
                       "the catalog's member " + name + " carries another digest, " +
                           to_hex(found.member->digest))};
  }
  if (found.alg == DigestAlg::sha1) {
    return {finding_of("catalog-sha1-member",
                       Severity::warning,
                       "the catalog lists this file by its SHA-1 digest only")};
  }
  return {};
}

/// The catalog's findings, said of the catalog.
std::vector<Finding> of_catalog(std::vector<Finding> findings) {
  for (Finding& finding : findings) {
    finding.subject = finding.subject == "file" || finding.subject.empty()
                          ? "catalog"
                          : "catalog, " + finding.subject;
  }
  return findings;
}

/// Passed only if the catalog passed and nothing in `own` objects.
Verdict combine_verdicts(const Verdict& catalog, const std::vector<Finding>& own) {
  Verdict verdict;
  verdict.rehearsal = catalog.rehearsal;
  verdict.findings = own;
  const std::vector<Finding> inherited = of_catalog(catalog.findings);
  verdict.findings.insert(verdict.findings.end(), inherited.begin(), inherited.end());
  verdict.passed = catalog.passed && verdict.objections().empty();
  return verdict;
}

}  // namespace

Result<JudgedCatalog> open_catalog(const std::string& path, const Gate& gate, TimePoint now) {
  SIGNCTL_TRY(OpenedFile file, open_file(path), "");
  JudgedCatalog catalog;
  SIGNCTL_TRY(catalog.files, file.signable->vouched_files(), "reading the catalog " + path);
  if (catalog.files.empty()) {
    return Error{ErrorKind::input,
                 printable(path) + " vouches for no other file",
                 "--catalog wants a security catalog (.cat)"};
  }
  SIGNCTL_TRY(catalog.outcome, judge_file(file, gate, now), "");
  return catalog;
}

Result<FileOutcome> verify_by_catalog(const std::string& path, const JudgedCatalog& catalog) {
  SIGNCTL_TRY(const Judged judged, look_at(path, algorithms_of(catalog.files)), "");
  Lookup found = judged.of_type ? look_up(catalog.files, *judged.of_type) : Lookup{};
  // Catalogs list scripts and the like by all their bytes, whatever their own signatures cover.
  const bool by_type = found.member != nullptr;
  if (!by_type) {
    found = look_up(catalog.files, judged.of_bytes);
  }
  std::vector<Finding> own = membership(found, judged);
  if (by_type) {
    own.insert(own.end(), judged.container.begin(), judged.container.end());
  }
  if (!catalog.outcome.verdict.passed) {
    own.push_back(finding_of(
        "catalog-refused",
        Severity::error,
        "the catalog " + printable(catalog.outcome.path) + " does not pass the gate itself"));
  }
  FileOutcome outcome;
  outcome.path = path;
  outcome.report = catalog.outcome.report;
  outcome.report.path = path;
  outcome.report.format = judged.format;
  outcome.report.size_bytes = judged.size;
  outcome.report.hashed_ranges.clear();
  outcome.report.facts = {{"catalog", catalog.outcome.path}};
  if (found.member != nullptr) {
    outcome.report.facts.push_back({"catalog member",
                                    std::string(digest_name(found.alg)) + " " +
                                        to_hex(found.member->tag) +
                                        (by_type ? " of the image" : " of all bytes")});
  }
  outcome.verdict = combine_verdicts(catalog.outcome.verdict, own);
  outcome.report.findings = outcome.verdict.findings;
  outcome.state = outcome.verdict.passed ? FileState::done : FileState::refused;
  return outcome;
}

}  // namespace signctl::engine
