// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/database.hpp"

#include "core/byte_reader.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::msi {
namespace {

/// Of one stream of the database: a million rows need less.
constexpr std::uint64_t kMaxTable = std::uint64_t{64} << 20U;
/// Windows Installer allows no name of more than 255 characters.
constexpr std::size_t kLongestText = 1024;
/// Of one table; what is held of each row is small.
constexpr std::size_t kMostRows = std::size_t{1} << 19U;
constexpr std::uint64_t kMaxPool = std::uint64_t{16} << 20U;
constexpr std::size_t kPoolEntry = 4;
constexpr std::uint16_t kLongReferences = 0x8000;

// Bits of a column's type.
constexpr std::uint32_t kWidthMask = 0xFF;
constexpr std::uint32_t kValid = 0x0100;
constexpr std::uint32_t kText = 0x0800;
constexpr std::uint32_t kNullable = 0x1000;
constexpr std::uint32_t kKey = 0x2000;

Error malformed(std::string what) {
  return {ErrorKind::input, "the installer's database is malformed: " + std::move(what)};
}

/// Numbers are stored with their sign turned, so that 0 is "no value".
std::int32_t plain_number(std::uint32_t stored, std::size_t width) {
  if (stored == 0) {
    return 0;
  }
  return width == 2 ? static_cast<std::int16_t>(stored ^ 0x8000U)
                    : static_cast<std::int32_t>(stored ^ 0x80000000U);
}

}  // namespace

Result<StringPool> StringPool::read(const CompoundFile& file) {
  const auto pool_entry = file.find_in_root(encode_table_name("_StringPool"));
  const auto data_entry = file.find_in_root(encode_table_name("_StringData"));
  if (!pool_entry || !data_entry) {
    return malformed("it has no strings");
  }
  SIGNCTL_TRY(const Bytes pool, file.read_all(*pool_entry, kMaxPool), "");
  StringPool result;
  SIGNCTL_TRY(result.data_, file.read_all(*data_entry, kMaxTable), "");
  const ByteReader reader(pool);
  const bool is_long = (reader.u16(2).value_or(0) & kLongReferences) != 0;
  result.reference_size_ = is_long ? 3 : 2;
  std::uint64_t begin = 0;
  for (std::size_t at = kPoolEntry; at + kPoolEntry <= pool.size(); at += kPoolEntry) {
    std::uint64_t length = reader.u16(at).value_or(0);
    const std::uint64_t references = reader.u16(at + 2).value_or(0);
    if (length == 0 && references != 0) {
      // A string of 64 KB or more: the upper half of its length stands here, the rest follows.
      at += kPoolEntry;
      length = references << 16U | reader.u16(at).value_or(0);
    }
    begin += length;
    if (begin > result.data_.size()) {
      return malformed("string " + std::to_string(result.ends_.size()) +
                       " reaches past the end of _StringData");
    }
    result.ends_.push_back(static_cast<std::uint32_t>(begin));
  }
  if (begin != result.data_.size()) {
    return malformed("the strings have " + std::to_string(begin) + " bytes, but _StringData has " +
                     std::to_string(result.data_.size()));
  }
  return result;
}

Result<std::string_view> StringPool::at(std::uint32_t number) const {
  if (number >= ends_.size()) {
    return malformed("there is no string " + std::to_string(number));
  }
  const std::size_t begin = number == 0 ? 0 : ends_[number - 1];
  const ByteView text = ByteView(data_).subspan(begin, ends_[number] - begin);
  return std::string_view(reinterpret_cast<const char*>(text.data()), text.size());
}

Result<Database> Database::open(const CompoundFile& file) {
  SIGNCTL_TRY(StringPool strings, StringPool::read(file), "");
  Database database(file, std::move(strings));
  const std::size_t reference = database.strings_.reference_size();
  const Columns columns{{1, {"Table", reference, true}},
                        {2, {"Number", 2, false}},
                        {3, {"Name", reference, true}},
                        {4, {"Type", 2, false}}};
  static constexpr std::array<std::string_view, 4> kWanted{"Table", "Number", "Name", "Type"};
  SIGNCTL_TRY(const std::vector<Row> rows, database.read("_Columns", columns, kWanted), "");
  for (const Row& row : rows) {
    const auto number = static_cast<std::uint32_t>(row[1].number);
    const auto type = static_cast<std::uint32_t>(row[3].number);
    Column column{std::string(row[2].text), 2, (type & kText) != 0};
    if ((type & ~(kNullable | kKey)) == (kText | kValid)) {
      column.is_text = false;  // Binary: the bytes are in a stream of their own.
    } else if (column.is_text) {
      column.width = reference;
    } else if ((type & kWidthMask) > 2) {
      column.width = 4;
    }
    Columns& table = database.tables_[std::string(row[0].text)];
    if (!table.emplace(number, std::move(column)).second) {
      return malformed("_Columns lists a column twice");
    }
  }
  for (const auto& [name, table] : database.tables_) {
    if (table.begin()->first != 1 || table.rbegin()->first != table.size()) {
      return malformed("_Columns leaves out a column");
    }
  }
  return database;
}

Result<Bytes> Database::stream(std::string_view table) const {
  const auto entry = file_.find_in_root(encode_table_name(table));
  return entry ? file_.read_all(*entry, kMaxTable) : Result<Bytes>(Bytes{});
}

Result<Field> Database::field(const Column& column, ByteView bytes) const {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<std::uint32_t>(bytes[i]) << (8U * i);
  }
  Field field;
  if (!column.is_text) {
    field.number = plain_number(value, column.width);
    return field;
  }
  SIGNCTL_TRY(field.text, strings_.at(value), "");
  if (field.text.size() > kLongestText) {
    return malformed("a name in the column " + printable(column.name) + " has " +
                     std::to_string(field.text.size()) + " bytes");
  }
  return field;
}

Result<std::vector<Database::Row>> Database::read(std::string_view table,
                                                  const Columns& columns,
                                                  std::span<const std::string_view> wanted) const {
  SIGNCTL_TRY(const Bytes bytes, stream(table), "");
  std::size_t row_size = 0;
  for (const auto& [number, column] : columns) {
    row_size += column.width;
  }
  const std::size_t count = bytes.size() / row_size;
  if (bytes.size() % row_size != 0 || count > kMostRows) {
    return malformed("the table " + std::string(table) + " has " + std::to_string(bytes.size()) +
                     " bytes, in rows of " + std::to_string(row_size));
  }
  std::vector<Row> rows(count, Row(wanted.size()));
  std::size_t found = 0;
  std::size_t begin = 0;  // All values of a column stand together.
  for (const auto& [number, column] : columns) {
    const auto place = std::find(wanted.begin(), wanted.end(), column.name);
    found += place == wanted.end() ? 0 : 1;
    for (std::size_t i = 0; i < count && place != wanted.end(); ++i) {
      const ByteView value = ByteView(bytes).subspan(begin + i * column.width, column.width);
      SIGNCTL_TRY(
          rows[i][static_cast<std::size_t>(place - wanted.begin())], field(column, value), "");
    }
    begin += column.width * count;
  }
  if (found != wanted.size()) {
    return malformed("the table " + std::string(table) + " has not the columns that it must have");
  }
  return rows;
}

Result<std::vector<Database::Row>> Database::rows(std::string_view table,
                                                  std::span<const std::string_view> wanted) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? Result<std::vector<Row>>(std::vector<Row>{})
                                : read(table, found->second, wanted);
}

}  // namespace signctl::msi
