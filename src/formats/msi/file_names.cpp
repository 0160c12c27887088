// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/file_names.hpp"

#include "core/text.hpp"
#include "formats/msi/database.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::msi {
namespace {

/// The name that a file is installed under: "SHORT.EXE|long name.exe", or one name.
std::string long_name(std::string_view stored) {
  std::string name = printable(stored.substr(stored.find('|') + 1));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == '\\'; }, '_');
  return name;
}

/// Custom actions run scripts from a stream (types 5 and 6) or from an installed file (21 and 22);
/// the others hold theirs in the table itself, or are no scripts.
enum class ScriptPlace { none, stream, file };

struct ScriptKind {
  ScriptPlace place{ScriptPlace::none};
  std::string extension;
};

ScriptKind script_kind(std::int32_t type) {
  constexpr unsigned kBasicType = 0x3F;
  switch (static_cast<unsigned>(type) & kBasicType) {
    case 5:
      return {ScriptPlace::stream, ".js"};
    case 6:
      return {ScriptPlace::stream, ".vbs"};
    case 21:
      return {ScriptPlace::file, ".js"};
    case 22:
      return {ScriptPlace::file, ".vbs"};
    default:
      return {};
  }
}

bool ends_with_nocase(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && to_lower(text.substr(text.size() - end.size())) == end;
}

Result<MemberNames> read_files(const Database& database) {
  static constexpr std::array<std::string_view, 2> kWanted{"File", "FileName"};
  SIGNCTL_TRY(const auto rows, database.rows("File", kWanted), "");
  MemberNames files;
  for (const Database::Row& row : rows) {
    if (!files.emplace(row[0].text, long_name(row[1].text)).second) {
      return Error{ErrorKind::input,
                   "the table File has the key " + printable(row[0].text) + " twice"};
    }
  }
  return files;
}

}  // namespace

Result<FileNames> read_file_names(const CompoundFile& file) {
  static constexpr std::array<std::string_view, 2> kWanted{"Type", "Source"};
  SIGNCTL_TRY(const Database database, Database::open(file), "");
  SIGNCTL_TRY(MemberNames files, read_files(database), "");
  SIGNCTL_TRY(const auto actions, database.rows("CustomAction", kWanted), "");
  FileNames names;
  for (const Database::Row& row : actions) {
    const ScriptKind kind = script_kind(row[0].number);
    const std::string source(row[1].text);
    if (kind.place == ScriptPlace::stream) {
      names.script_streams.emplace("Binary." + printable(source), kind.extension);
    }
    const auto installed = files.find(source);
    if (kind.place == ScriptPlace::file && installed != files.end() &&
        !ends_with_nocase(installed->second, kind.extension)) {
      installed->second += kind.extension;
    }
  }
  names.files = std::make_shared<const MemberNames>(std::move(files));
  return names;
}

}  // namespace signctl::msi
