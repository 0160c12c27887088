// SPDX-License-Identifier: Apache-2.0
#include "formats/common/xml_start.hpp"

#include "core/file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace signctl::xml {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::uint64_t kMost = std::uint64_t{16} << 20U;

std::size_t begin_of(std::string_view text) {
  const std::size_t mark = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  return std::min(text.find_first_not_of(kBlanks, mark), text.size());
}

}  // namespace

bool looks_like_xml(ByteView head) {
  const std::string_view text = as_text(head);
  return text.substr(begin_of(text)).starts_with('<') ||
         text.starts_with(std::string_view("\xFF\xFE<\0", 4)) ||
         text.starts_with(std::string_view("\xFE\xFF\0<", 4)) ||
         text.starts_with(std::string_view("<\0", 2)) ||
         text.starts_with(std::string_view("\0<", 2));
}

std::optional<std::size_t> find_root(std::string_view text) {
  std::size_t at = begin_of(text);
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    std::size_t end = std::string_view::npos;
    if (rest.starts_with("<?")) {
      end = text.find("?>", at + 2);
      end = end == std::string_view::npos ? end : end + 2;
    } else if (rest.starts_with("<!--")) {
      end = text.find("-->", at + 4);
      end = end == std::string_view::npos ? end : end + 3;
    } else if (rest.starts_with("<!") || rest.size() < 2 || rest[0] != '<' || rest[1] == '\0') {
      return std::nullopt;
    } else {
      return at;
    }
    at = std::min(text.find_first_not_of(kBlanks, std::min(end, text.size())), text.size());
  }
  return std::nullopt;
}

Result<Bytes> read_from_root(const ByteSource& source, ByteView head) {
  if (!looks_like_xml(head)) {
    return Bytes{};
  }
  SIGNCTL_TRY(Bytes bytes, read_bytes(source, 0, std::min(source.size(), kMost)), "");
  const auto root = find_root(as_text(bytes));
  if (!root) {
    return Bytes{};
  }
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(*root));
  return bytes;
}

}  // namespace signctl::xml
