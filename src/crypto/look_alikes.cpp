// SPDX-License-Identifier: Apache-2.0
#include "crypto/look_alikes.hpp"

#include "core/assert.hpp"
#include "core/block_reader.hpp"
#include "crypto/handles.hpp"
#include "crypto/library.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include <openssl/err.h>

namespace signctl::crypto {

namespace {

struct LookAlike {
  std::string_view name;
  const char* openssl;
};

constexpr std::array<LookAlike, 7> kLookAlikes{{{"BLAKE2b", "BLAKE2B-512"},
                                                {"SHA3-512", "SHA3-512"},
                                                {"SHA3-384", "SHA3-384"},
                                                {"BLAKE2s", "BLAKE2S-256"},
                                                {"SHA3-256", "SHA3-256"},
                                                {"SHA-512/256", "SHA512-256"},
                                                {"RIPEMD-160", "RIPEMD-160"}}};

}  // namespace

Result<std::vector<NamedHash>> look_alikes(const ByteSource& source, std::size_t octets) {
  start_library();
  std::vector<std::pair<std::string_view, DigestContext>> contexts;
  for (const LookAlike& one : kLookAlikes) {
    const Handle<EVP_MD, EVP_MD_free> algorithm(EVP_MD_fetch(nullptr, one.openssl, nullptr));
    if (algorithm && EVP_MD_get_size(algorithm.get()) == static_cast<int>(octets)) {
      DigestContext context(EVP_MD_CTX_new());
      SIGNCTL_ASSERT(EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1);
      contexts.emplace_back(one.name, std::move(context));
    }
  }
  ERR_clear_error();  // Of those that are not there.
  SIGNCTL_CHECK(
      for_each_block(source, 0, source.size(), {[&](std::uint64_t, ByteView block) {
                       for (auto& [name, context] : contexts) {
                         SIGNCTL_ASSERT(
                             EVP_DigestUpdate(context.get(), block.data(), block.size()) == 1);
                       }
                       return true;
                     }}),
      "");
  std::vector<NamedHash> hashes;
  for (auto& [name, context] : contexts) {
    Bytes value(octets);
    SIGNCTL_ASSERT(EVP_DigestFinal_ex(context.get(), value.data(), nullptr) == 1);
    hashes.push_back({name, std::move(value)});
  }
  return hashes;
}

}  // namespace signctl::crypto
