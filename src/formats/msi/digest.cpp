// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/digest.hpp"

#include "core/block_reader.hpp"
#include "core/byte_reader.hpp"
#include "crypto/digest.hpp"

#include <map>
#include <string>
#include <utility>

namespace signctl::msi {
namespace {

constexpr std::size_t kMaxRanges = 4096;

bool is_signature_stream(const CompoundFile& file, const Storage& storage, std::uint32_t child) {
  const std::u16string& name = file.entries()[child].name;
  return storage.entry == 0 && file.entries()[child].is_stream() &&
         (name == kSignatureName || name == kPrehashName);
}

void add_metadata(const Entry& entry, crypto::Hasher& hasher) {
  const bool root = entry.type == EntryType::root;
  if (!root) {
    hasher.update(name_bytes(entry.name));
  }
  Bytes fields;
  if (entry.is_stream()) {
    put_le(fields, static_cast<std::uint32_t>(entry.size & UINT32_MAX));
  } else {
    fields.assign(entry.class_id.begin(), entry.class_id.end());
  }
  put_le(fields, entry.state_bits);
  if (!root) {
    put_le(fields, entry.created);
    put_le(fields, entry.modified);
  }
  hasher.update(fields);
}

}  // namespace

std::vector<Visit> hashing_order(const CompoundFile& file) {
  const Tree& tree = file.tree();
  std::map<std::uint32_t, std::size_t> storages;
  for (std::size_t i = 0; i < tree.storages.size(); ++i) {
    storages[tree.storages[i].entry] = i;
  }
  std::vector<Visit> order{{0, true}};
  std::vector<std::pair<std::size_t, std::size_t>> stack{{0, 0}};  // storage, next child
  while (!stack.empty()) {
    const Storage& storage = tree.storages[stack.back().first];
    if (stack.back().second == storage.children.size()) {
      order.push_back({storage.entry, false});
      stack.pop_back();
      continue;
    }
    const std::uint32_t child = storage.children[stack.back().second++];
    if (is_signature_stream(file, storage, child)) {
      continue;
    }
    order.push_back({child, true});
    if (const auto found = storages.find(child); found != storages.end()) {
      stack.emplace_back(found->second, 0);
    }
  }
  return order;
}

Bytes prehash(const CompoundFile& file, DigestAlg alg) {
  crypto::Hasher hasher(alg);
  for (const Visit& visit : hashing_order(file)) {
    if (visit.begin) {
      add_metadata(file.entries()[visit.entry], hasher);
    }
  }
  return hasher.finish();
}

Result<std::vector<Bytes>> content_digests(const std::shared_ptr<const CompoundFile>& file,
                                           std::span<const DigestRequest> requests) {
  std::vector<crypto::Hasher> hashers;
  hashers.reserve(requests.size());
  for (const DigestRequest& request : requests) {
    hashers.emplace_back(request.alg);
    hashers.back().update(request.prefix);
  }
  const auto update = [&hashers](ByteView bytes) {
    for (crypto::Hasher& hasher : hashers) {
      hasher.update(bytes);
    }
  };
  BlockVisitor visitor;
  visitor.visit = [&update](std::uint64_t /*offset*/, ByteView block) {
    update(block);
    return true;
  };
  for (const Visit& visit : hashing_order(*file)) {
    const Entry& entry = file->entries()[visit.entry];
    if (entry.is_stream()) {
      const auto source = stream_source(file, visit.entry);
      SIGNCTL_CHECK(for_each_block(*source, 0, source->size(), visitor),
                    "hashing stream \"" + decode_name(entry.name) + "\"");
    } else if (!visit.begin) {
      update(entry.class_id);
    }
  }
  std::vector<Bytes> digests;
  digests.reserve(hashers.size());
  for (crypto::Hasher& hasher : hashers) {
    digests.push_back(hasher.finish());
  }
  return digests;
}

Result<std::vector<HashedRange>> content_ranges(const CompoundFile& file) {
  std::vector<HashedRange> ranges;
  bool all = true;
  for (const Visit& visit : hashing_order(file)) {
    const Entry& entry = file.entries()[visit.entry];
    if (!entry.is_stream()) {
      continue;
    }
    SIGNCTL_CHECK(
        file.for_each_piece(visit.entry,
                            [&](const Piece& piece) {
                              all = ranges.size() < kMaxRanges;
                              if (all) {
                                ranges.push_back({piece.offset,
                                                  piece.offset + piece.size,
                                                  "stream \"" + decode_name(entry.name) + "\""});
                              }
                              return all;
                            }),
        "");
    if (!all) {
      const std::uint64_t end = file.source().size();
      ranges.push_back({end, end, "and more pieces, which are not listed"});
      break;
    }
  }
  return ranges;
}

}  // namespace signctl::msi
