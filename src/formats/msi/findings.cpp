// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/findings.hpp"

#include "core/block_reader.hpp"
#include "formats/msi/digest.hpp"
#include "formats/msi/hidden.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace signctl::msi {
namespace {

// More than careless writers leave in places that must be empty is a hiding place.
constexpr std::uint64_t kHiddenTolerated = 64;

Finding file_finding(std::string id, Severity severity, std::string message) {
  return {std::move(id), severity, "file", std::move(message)};
}

/// Whether [begin, end) of the file, as far as it is there, holds anything but zeros.
Result<bool> holds_data(const ByteSource& source, std::uint64_t begin, std::uint64_t end) {
  bool found = false;
  BlockVisitor visitor;
  visitor.visit = [&found](std::uint64_t /*offset*/, ByteView block) {
    found = std::any_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte != 0; });
    return !found;
  };
  SIGNCTL_CHECK(for_each_block(source, begin, std::min(end, source.size()), visitor), "");
  return found;
}

/// Sectors before the last one in use that nothing refers to.
struct Unreferenced {
  std::uint64_t sectors{};
  std::uint64_t with_data{};  ///< Of the first run that holds data, its first sector's offset.
};

Result<Unreferenced> find_unreferenced(const CompoundFile& file) {
  Unreferenced result;
  const SectorSet& used = file.used();
  const std::uint64_t end = used.end();
  for (std::uint64_t at = used.next_absent(0); at < end;) {
    const std::uint64_t stop = used.next_present(at);
    result.sectors += stop - at;
    if (result.with_data == 0) {
      const std::uint64_t begin = file.header().offset_of(at);
      SIGNCTL_TRY(
          const bool data, holds_data(file.source(), begin, file.header().offset_of(stop)), "");
      result.with_data = data ? begin : 0;
    }
    at = used.next_absent(stop);
  }
  return result;
}

std::uint64_t end_of_content(const CompoundFile& file) {
  return file.header().offset_of(file.used().end());
}

Result<void> check_sectors(const CompoundFile& file,
                           Severity severity,
                           std::vector<Finding>& findings) {
  SIGNCTL_TRY(const Unreferenced loose, find_unreferenced(file), "");
  if (loose.with_data != 0) {
    findings.push_back(file_finding("msi-unreferenced-data",
                                    severity,
                                    "data at offset " + std::to_string(loose.with_data) +
                                        " belongs to no stream; no signature covers it"));
  } else if (loose.sectors != 0) {
    findings.push_back(
        file_finding("msi-free-sectors",
                     Severity::warning,
                     std::to_string(loose.sectors) +
                         " sectors belong to no stream; Windows refuses signed files with such"));
  }
  const std::uint64_t end = end_of_content(file);
  if (end < file.source().size()) {
    SIGNCTL_TRY(const bool data, holds_data(file.source(), end, file.source().size()), "");
    findings.push_back(file_finding("msi-data-after-end",
                                    data ? severity : Severity::warning,
                                    std::to_string(file.source().size() - end) +
                                        " bytes follow the last sector in use, which ends at " +
                                        std::to_string(end)));
  }
  return ok();
}

std::size_t used_entries(const CompoundFile& file) {
  return static_cast<std::size_t>(
      std::count_if(file.entries().begin(), file.entries().end(), [](const Entry& entry) {
        return entry.type != EntryType::free;
      }));
}

void check_directory(const CompoundFile& file, bool is_signed, std::vector<Finding>& findings) {
  const std::size_t used = used_entries(file);
  if (used != file.tree().reached) {
    findings.push_back(file_finding("msi-orphan-entry",
                                    Severity::error,
                                    std::to_string(used - file.tree().reached) +
                                        " directory entries are not part of the directory's tree"));
  }
  if (!file.tree().ordered) {
    findings.push_back(file_finding("msi-directory-order",
                                    is_signed ? Severity::error : Severity::warning,
                                    "the directory is not sorted, so that not every reader finds "
                                    "every stream"));
  }
  if (file.header().major_version == 4 &&
      file.header().directory_sectors != file.directory_sectors().size()) {
    findings.push_back(file_finding(
        "msi-directory-size",
        Severity::error,
        "the header counts " + std::to_string(file.header().directory_sectors) +
            " directory sectors of " + std::to_string(file.directory_sectors().size()) +
            "; Windows Installer reads no more"));
  }
}

/// The header says twice where the list of the FAT's sectors goes on.
void check_difat(const CompoundFile& file, std::vector<Finding>& findings) {
  const Header& header = file.header();
  const std::size_t sectors = file.difat_sectors().size();
  const bool ends = header.first_difat == kEndOfChain || header.first_difat == kFreeSector;
  if (header.difat_sectors != sectors || (sectors == 0 && !ends)) {
    findings.push_back(file_finding("msi-difat",
                                    Severity::error,
                                    "the header counts " + std::to_string(header.difat_sectors) +
                                        " sectors of the DIFAT, from " +
                                        std::to_string(header.first_difat) +
                                        ", where the FAT takes " + std::to_string(sectors) +
                                        ", so that readers may see different files"));
  }
}

Result<void> check_hidden(const CompoundFile& file, std::vector<Finding>& findings) {
  SIGNCTL_TRY(const Hidden hidden, find_hidden(file), "");
  if (hidden.bytes != 0) {
    findings.push_back(file_finding(
        "msi-hidden-data",
        hidden.bytes > kHiddenTolerated ? Severity::error : Severity::warning,
        std::to_string(hidden.bytes) + " bytes, the first at offset " +
            std::to_string(hidden.first) +
            ", are in parts of the header, the tables or the directory that must be empty"));
  }
  return ok();
}

Result<void> check_prehash(const CompoundFile& file, std::vector<Finding>& findings) {
  const auto entry = file.find_in_root(kPrehashName);
  if (!entry) {
    findings.push_back(file_finding("msi-no-prehash",
                                    Severity::warning,
                                    "there is no MsiDigitalSignatureEx, so that the names, sizes "
                                    "and times of streams are not covered"));
    return ok();
  }
  const bool small = file.entries()[*entry].size <= kMaxPrehash;
  Bytes stored;
  if (small) {
    SIGNCTL_TRY(stored, file.read_all(*entry, kMaxPrehash), "");
  }
  if (!small || !prehash_alg(file, stored)) {
    findings.push_back(file_finding("msi-prehash",
                                    Severity::error,
                                    "MsiDigitalSignatureEx is not the hash of this file's names, "
                                    "sizes and times"));
  }
  return ok();
}

}  // namespace

std::optional<DigestAlg> prehash_alg(const CompoundFile& file, ByteView stored) {
  for (const DigestAlg alg :
       {DigestAlg::sha256, DigestAlg::sha1, DigestAlg::sha384, DigestAlg::sha512, DigestAlg::md5}) {
    if (digest_size(alg) == stored.size()) {
      const Bytes computed = prehash(file, alg);
      if (std::equal(computed.begin(), computed.end(), stored.begin(), stored.end())) {
        return alg;
      }
    }
  }
  return std::nullopt;
}

Result<std::vector<Finding>> container_findings(const CompoundFile& file) {
  std::vector<Finding> findings;
  const bool is_signed = file.find_in_root(kSignatureName).has_value();
  SIGNCTL_CHECK(check_sectors(file, is_signed ? Severity::error : Severity::warning, findings), "");
  check_directory(file, is_signed, findings);
  check_difat(file, findings);
  if (!file.overlong_ends().empty() || !file.overlong_mini_ends().empty()) {
    findings.push_back(file_finding("msi-chain-too-long",
                                    is_signed ? Severity::error : Severity::warning,
                                    "a stream's chain of sectors goes on behind its end"));
  }
  if (is_signed) {
    SIGNCTL_CHECK(check_hidden(file, findings), "");
    SIGNCTL_CHECK(check_prehash(file, findings), "");
  }
  return findings;
}

Result<void> check_editable(const CompoundFile& file) {
  if (used_entries(file) != file.tree().reached) {
    return Error{ErrorKind::input,
                 "the directory has entries that are not part of its tree",
                 "save the file anew with the tool that made it"};
  }
  const std::uint64_t end = end_of_content(file);
  if (end < file.source().size()) {
    SIGNCTL_TRY(const bool data, holds_data(file.source(), end, file.source().size()), "");
    if (data) {
      return Error{ErrorKind::input,
                   std::to_string(file.source().size() - end) +
                       " bytes follow the last sector in use, which ends at " +
                       std::to_string(end) + "; they would be lost",
                   "nothing may be appended to an installer; start again from the file as built"};
    }
  }
  return ok();
}

}  // namespace signctl::msi
