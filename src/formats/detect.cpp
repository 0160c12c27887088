// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/common/xml_start.hpp"
#include "formats/common/zip_kind.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace signctl {
namespace {

constexpr std::uint64_t kSniffBytes = 4096;

std::string names_of(const std::vector<const Format*>& formats) {
  std::vector<std::string> names;
  names.reserve(formats.size());
  for (const Format* format : formats) {
    names.emplace_back(format->name());
  }
  return join(names, ", ");
}

Error ambiguous(const std::vector<const Format*>& candidates) {
  return {ErrorKind::unsupported,
          "the file looks like several formats at once: " + names_of(candidates),
          "a file that two readers understand differently cannot be signed or judged"};
}

Error unrecognised() {
  const auto all = builtin_formats();
  return {ErrorKind::unsupported,
          "the file is of no format that this build signs",
          "formats: " + names_of({all.begin(), all.end()})};
}

/// The candidates that claim `extension`.
std::vector<const Format*> claiming(const std::vector<const Format*>& candidates,
                                    std::string_view extension) {
  std::vector<const Format*> result;
  for (const Format* format : candidates) {
    const auto known = format->extensions();
    if (std::find(known.begin(), known.end(), extension) != known.end()) {
      result.push_back(format);
    }
  }
  return result;
}

}  // namespace

std::string extension_of(std::string_view path_utf8) {
  const auto slash = path_utf8.find_last_of("/\\");
  const std::string_view name =
      slash == std::string_view::npos ? path_utf8 : path_utf8.substr(slash + 1);
  const auto dot = name.find_last_of('.');
  return dot == std::string_view::npos ? std::string() : to_lower(name.substr(dot + 1));
}

Result<const Format*> detect_format(const ByteSource& source, std::string_view path_utf8) {
  SIGNCTL_TRY(const Format* format, find_format(source, path_utf8), "");
  if (format == nullptr) {
    return unrecognised();
  }
  return format;
}

Result<const Format*> find_format(const ByteSource& source, std::string_view path_utf8) {
  const std::uint64_t size = source.size();
  if (size == 0) {
    return Error{ErrorKind::input, "the file is empty"};
  }
  const std::uint64_t window = std::min(size, kSniffBytes);
  SIGNCTL_TRY(Bytes head, read_bytes(source, 0, window), "reading the first bytes");
  SIGNCTL_TRY(
      const Bytes tail, read_bytes(source, size - window, window), "reading the last bytes");
  const std::string extension = extension_of(path_utf8);
  const auto kinds =
      zip::looks_like_zip(head) ? zip::kinds_of(source) : std::vector<std::string_view>{};
  // What an XML document is must not depend on the comments in it: they hide nothing.
  SIGNCTL_TRY(Bytes root, xml::read_from_root(source, head), "looking for the root element");
  if (!root.empty()) {
    head = std::move(root);
  }

  std::vector<const Format*> sure;
  std::vector<const Format*> possible;
  for (const Format* format : builtin_formats()) {
    switch (format->sniff({head, tail, extension, kinds})) {
      case Sniff::yes:
        sure.push_back(format);
        break;
      case Sniff::maybe:
        possible.push_back(format);
        break;
      case Sniff::no:
        break;
    }
  }

  if (sure.size() > 1) {
    return ambiguous(sure);
  }
  if (sure.size() == 1) {
    return sure.front();
  }
  if (possible.empty()) {
    return static_cast<const Format*>(nullptr);
  }
  if (possible.size() == 1) {
    return possible.front();
  }
  const auto claimed = claiming(possible, extension);
  if (claimed.size() != 1) {
    return ambiguous(possible);
  }
  return claimed.front();
}

}  // namespace signctl
