// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/block_map.hpp"

#include "core/text.hpp"
#include "formats/common/xml.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace signctl::msix {
namespace {

constexpr std::string_view kNamespace = "http://schemas.microsoft.com/appx/2010/blockmap";

struct Method {
  std::string_view uri;
  DigestAlg alg;
};

constexpr std::array<Method, 3> kMethods{
    Method{"http://www.w3.org/2001/04/xmlenc#sha256", DigestAlg::sha256},
    Method{"http://www.w3.org/2001/04/xmldsig-more#sha384", DigestAlg::sha384},
    Method{"http://www.w3.org/2001/04/xmlenc#sha512", DigestAlg::sha512}};

Error malformed(const std::string& what) {
  return {ErrorKind::input, "AppxBlockMap.xml: " + what, "build the package anew with makeappx"};
}

template <class Number>
std::optional<Number> number(const std::optional<std::string>& text) {
  Number value{};
  if (!text || text->empty()) {
    return std::nullopt;
  }
  const auto end = text->data() + text->size();
  const auto [stop, code] = std::from_chars(text->data(), end, value);
  return code == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

Result<void> read_block(const xml::Element& element, const MappedFile& file, BlockMap& map) {
  const auto hash = from_base64(element.attribute("Hash").value_or(""));
  if (!hash || hash->size() != digest_size(map.alg)) {
    return malformed("a block of " + printable(file.name) + " has no hash of the right size");
  }
  map.hashes.insert(map.hashes.end(), hash->begin(), hash->end());
  const auto size = element.attribute("Size");
  map.packed_sizes.push_back(number<std::uint32_t>(size));
  if (size && !map.packed_sizes.back()) {
    return malformed("a block of " + printable(file.name) + " has a size that is no number");
  }
  return ok();
}

Result<void> read_file(const xml::Element& element, BlockMap& map) {
  MappedFile file;
  file.name = element.attribute("Name").value_or("");
  const auto size = number<std::uint64_t>(element.attribute("Size"));
  const auto lfh_size = number<std::uint32_t>(element.attribute("LfhSize"));
  if (file.name.empty() || !size || !lfh_size) {
    return malformed("a file has no name, size or LfhSize: \"" + printable(file.name) + "\"");
  }
  file.size = *size;
  file.lfh_size = *lfh_size;
  file.first_block = map.packed_sizes.size();
  for (const xml::Element& child : element.children(kNamespace, "Block")) {
    SIGNCTL_CHECK(read_block(child, file, map), "");
  }
  file.block_count = map.packed_sizes.size() - file.first_block;
  const std::uint64_t wanted = file.size / kBlockSize + (file.size % kBlockSize != 0 ? 1 : 0);
  if (file.block_count != wanted) {
    return malformed(printable(file.name) + " has " + std::to_string(file.block_count) +
                     " blocks; its size makes " + std::to_string(wanted));
  }
  map.files.push_back(std::move(file));
  return ok();
}

void append(Bytes& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

}  // namespace

ByteView BlockMap::hash(std::size_t block) const {
  const std::size_t size = digest_size(alg);
  return ByteView(hashes).subspan(block * size, size);
}

Result<BlockMap> read_block_map(ByteView xml_bytes) {
  SIGNCTL_TRY(const xml::Document document, xml::Document::parse(xml_bytes), "AppxBlockMap.xml");
  const xml::Element root = document.root();
  if (!root.is(kNamespace, "BlockMap")) {
    return malformed("its element is " + printable(root.name()) + " of " +
                     printable(root.namespace_uri()));
  }
  BlockMap map;
  const std::string uri = root.attribute("HashMethod").value_or("");
  const Method* method = nullptr;
  for (const Method& one : kMethods) {
    method = one.uri == uri ? &one : method;
  }
  if (method == nullptr) {
    return Error{ErrorKind::unsupported,
                 "AppxBlockMap.xml: the hash method is \"" + printable(uri) +
                     "\"; read are SHA-256, SHA-384 and SHA-512"};
  }
  map.alg = method->alg;
  for (const xml::Element& child : root.children(kNamespace, "File")) {
    SIGNCTL_CHECK(read_file(child, map), "");
  }
  return map;
}

Bytes encode_block_map(const BlockMap& map) {
  Bytes out;
  std::string_view uri;
  for (const Method& one : kMethods) {
    uri = one.alg == map.alg ? one.uri : uri;
  }
  append(out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\r\n<BlockMap xmlns=\"");
  append(out, kNamespace);
  append(out, "\" HashMethod=\"");
  append(out, uri);
  append(out, "\">");
  for (const MappedFile& file : map.files) {
    append(out,
           "<File Name=\"" + xml::escape_attribute(file.name) + "\" Size=\"" +
               std::to_string(file.size) + "\" LfhSize=\"" + std::to_string(file.lfh_size) + "\">");
    for (std::size_t i = file.first_block; i < file.first_block + file.block_count; ++i) {
      append(out, "<Block Hash=\"" + to_base64(map.hash(i)) + "\"");
      if (const auto& size = map.packed_sizes[i]) {
        append(out, " Size=\"" + std::to_string(*size) + "\"");
      }
      append(out, "/>");
    }
    append(out, "</File>");
  }
  append(out, "</BlockMap>");
  return out;
}

}  // namespace signctl::msix
