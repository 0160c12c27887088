// SPDX-License-Identifier: Apache-2.0
// Lists of checksums as sha256sum and its kin write them (GNU coreutils manual, "md5 invocation"),
// with and without --tag, and files that hold one hash for the file they are named after.
#include "core/text.hpp"
#include "seal/checksum_names.hpp"
#include "seal/tree.hpp"

#include <algorithm>
#include <optional>

namespace signctl::seal {

namespace {

/// A name with `\\` and `\n` for what cannot stand in a line.
std::string unescaped(std::string_view name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\' && i + 1 < name.size()) {
      ++i;
      result += name[i] == 'n' ? '\n' : name[i] == 'r' ? '\r' : name[i];
    } else {
      result += name[i];
    }
  }
  return result;
}

/// "SHA256 (app.exe) = 12ab...", relative to the line; false when it is none.
bool read_tagged(std::string_view line, Slot& slot, std::string_view& name) {
  const std::size_t open = line.find(" (");
  const std::size_t close = line.rfind(") = ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) {
    return false;
  }
  const std::string tag = to_lower(line.substr(0, open));
  const std::string_view digits = line.substr(close + 4);
  const auto alg = alg_of_digits(digits.size());
  // Others have hashes of the same length: BLAKE2b, SHA-512/256.
  if (!alg || !is_hex(digits) || tag != digest_name(*alg)) {
    return false;
  }
  name = line.substr(open + 2, close - open - 2);
  slot.begin = close + 4;
  slot.end = line.size();
  slot.alg = *alg;
  return true;
}

/// "12ab...  app.exe" or "12ab... *app.exe", relative to the line; false when it is none.
bool read_plain(std::string_view line, Slot& slot, std::string_view& name) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const auto alg = alg_of_digits(space);
  if (!alg || !is_hex(line.substr(0, space))) {
    return false;
  }
  slot.end = space;
  slot.alg = *alg;
  name = line.substr(space);
  if (name.starts_with("  ") || name.starts_with(" *")) {
    name.remove_prefix(2);
  } else if (!name.empty()) {
    name.remove_prefix(1);
  }
  return true;
}

/// The list in a text: all of it, or what a signature in the same file is over.
struct Body {
  std::size_t begin{};
  std::size_t end{};
  bool is_signed{false};
};

/// Lists that are signed inside: by OpenPGP (RFC 9580, 7), or by signify -e.
Body body_of(std::string_view text) {
  const std::size_t start = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  if (text.substr(start).starts_with("-----BEGIN PGP SIGNED MESSAGE-----")) {
    const std::size_t unix_blank = text.find("\n\n", start);
    const std::size_t begin = std::min(unix_blank, text.find("\n\r\n", start));
    const std::size_t end = text.find("\n-----BEGIN PGP SIGNATURE-----", begin);
    return {std::min(begin, text.size()), std::min(end, text.size()), true};
  }
  if (text.substr(start).starts_with("untrusted comment:")) {
    const std::size_t key = text.find('\n', start);
    const std::size_t begin = key == text.npos ? key : text.find('\n', key + 1);
    return {std::min(begin, text.size()), text.size(), true};
  }
  return {start, text.size(), false};
}

/// Calls visit(line, place of its first octet) for each line that says anything, until that is
/// false; whether it never was.
template <typename Visit>
bool visit_lines(std::string_view text, const Body& body, Visit visit) {
  for (std::size_t begin = body.begin; begin < body.end;) {
    const std::size_t end = std::min(text.find('\n', begin), body.end);
    std::string_view line = text.substr(begin, end - begin);
    line = line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
    if (!line.empty() && line.front() != '#' && !visit(line, begin)) {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

/// Whether a line looks like one of a list, be it of a hash that is not made here.
bool looks_listed(std::string_view line) {
  constexpr std::size_t kFewestDigits = 32;
  const std::size_t tag = line.rfind(") = ");
  const bool is_tagged = tag != line.npos && line.find(" (") < tag;
  line.remove_prefix(!is_tagged && line.starts_with('\\') ? 1 : 0);
  const std::size_t blank = std::min(line.find(' '), line.size());
  const std::string_view digits = is_tagged ? line.substr(tag + 4) : line.substr(0, blank);
  const std::string_view name = is_tagged ? "  x" : line.substr(blank);
  return digits.size() >= kFewestDigits && is_hex(digits) && name.size() > 2 &&
         (name.starts_with("  ") || name.starts_with(" *"));
}

/// Whether the text is nothing but a list, whatever its name is.
bool looks_like_list(std::string_view text) {
  bool any = false;
  return visit_lines(text,
                     body_of(text),
                     [&](std::string_view line, std::size_t) {
                       any = true;
                       return looks_listed(line);
                     }) &&
         any;
}

/// Whether the first line that says anything is one of a list.
bool begins_with_checksum(std::string_view text) {
  bool begins = false;
  visit_lines(text, body_of(text), [&](std::string_view line, std::size_t) {
    Slot slot;
    std::string_view name;
    line.remove_prefix(line.front() == '\\' ? 1 : 0);
    begins = read_tagged(line, slot, name) || (read_plain(line, slot, name) && !name.empty());
    return false;
  });
  return begins;
}

/// Whether it is what PowerShell shows of Get-FileHash, as a table or (Format-List) line by line.
bool is_file_hash_output(std::string_view text) {
  bool is_output = false;
  visit_lines(text, body_of(text), [&](std::string_view line, std::size_t) {
    std::string dense(line);
    std::erase_if(dense, [](char c) { return c == ' ' || c == '\t'; });
    is_output = dense == "AlgorithmHashPath" || dense.starts_with("Algorithm:");
    return dense.empty();
  });
  return is_output;
}

class Checksums final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "checksums"; }
  [[nodiscard]] std::string_view title() const override { return "list of checksums"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    const ListName list = list_name(file_name);
    if (is_file_hash_output(text)) {
      return true;
    }
    return list.is_vague
               ? begins_with_checksum(text)
               : list.is_list || !algorithm_extension(file_name).empty() || looks_like_list(text);
  }
  [[nodiscard]] bool is_signed_inside(std::string_view text) const override {
    return body_of(text).is_signed;
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

/// One line; `place` is where its first octet stands.
Result<Slot> read_line(std::string_view line, std::size_t place, std::string_view file_name) {
  Slot slot;
  std::string_view named;
  const bool escaped = line.front() == '\\';
  const std::string_view rest = line.substr(escaped ? 1 : 0);
  const bool is_tagged = read_tagged(rest, slot, named);
  if (!is_tagged && !read_plain(rest, slot, named)) {
    return malformed(
        "holds no checksum that is known here: md5, sha1, sha256, sha384 or sha512 with a file's "
        "name");
  }
  const ListName list = list_name(file_name);
  slot.target = escaped ? unescaped(named) : std::string(named);
  if (slot.target.empty() && !list.is_list) {
    slot.target = file_of_one(file_name);
  }
  if (slot.target.empty()) {
    return malformed("names no file");
  }
  slot.label = digest_name(slot.alg);
  slot.guessed =
      !is_tagged && slot.label != (list.is_list ? list.algorithm : algorithm_extension(file_name));
  slot.begin += place + (escaped ? 1 : 0);
  slot.end += place + (escaped ? 1 : 0);
  return slot;
}

Result<std::vector<Slot>> Checksums::read(std::string_view file_name, std::string_view text) const {
  const ListName list = list_name(file_name);
  if (is_foreign_hash(list.is_list ? list.algorithm : algorithm_extension(file_name))) {
    return malformed(
        "its name says that it holds hashes of a kind that is not made here; known "
        "are md5, sha1, sha256, sha384 and sha512");
  }
  if (is_file_hash_output(text)) {
    return Error{ErrorKind::input,
                 "is the output of Get-FileHash, which is not brought up to date",
                 "write a list instead: Get-FileHash *.exe | ForEach-Object { $_.Hash + '  ' + "
                 "(Split-Path -Leaf $_.Path) } | Out-File -Encoding utf8 SHA256SUMS; or leave it "
                 "out: '!" +
                     printable(file_name) + "'"};
  }
  std::vector<Slot> slots;
  std::optional<Error> wrong;
  visit_lines(text, body_of(text), [&](std::string_view line, std::size_t place) {
    auto slot = read_line(line, place, file_name);
    if (!slot) {
      const auto number =
          1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(place), '\n');
      wrong = malformed("line " + std::to_string(number) + " " + slot.error().message);
      return false;
    }
    slots.push_back(*std::move(slot));
    return true;
  });
  return wrong ? Result<std::vector<Slot>>(*std::move(wrong)) : slots;
}

}  // namespace

const Dependent& checksums_dependent() {
  static const Checksums instance;
  return instance;
}

}  // namespace signctl::seal
