// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::msi {

/// The strings of an installer's database. Tables have numbers in their place.
class StringPool {
 public:
  /// @errors `input` when the lengths in !_StringPool are not those of !_StringData.
  static Result<StringPool> read(const CompoundFile& file);

  /// Bytes of a reference in a table: 2, or 3 when there are many strings.
  [[nodiscard]] std::size_t reference_size() const { return reference_size_; }
  /// 0 is the empty string.
  ///
  /// @errors `input` when there is no such string.
  Result<std::string_view> at(std::uint32_t number) const;

 private:
  Bytes data_;
  std::vector<std::uint32_t> ends_{0};  ///< In `data_`, by number.
  std::size_t reference_size_{2};
};

/// A field of a row: the one or the other, as its column has it.
struct Field {
  std::string_view text{};  ///< Valid while the database is.
  std::int32_t number{};
};

/// A small reader of the tables, which asks nothing of how they are linked. The layout is not
/// published; this one is that of Wine and msitools.
class Database {
 public:
  /// @param file  Must outlive the database.
  /// @errors `input` when the strings or the list of columns contradict themselves.
  static Result<Database> open(const CompoundFile& file);

  using Row = std::vector<Field>;
  /// The fields of the columns `wanted`, in that order, of all rows. No rows when there is no such
  /// table.
  ///
  /// @errors `input` when a column is not there, or the table has not the size of its rows.
  Result<std::vector<Row>> rows(std::string_view table,
                                std::span<const std::string_view> wanted) const;

 private:
  struct Column {
    std::string name;
    std::size_t width{};
    bool is_text{};
  };
  using Columns = std::map<std::uint32_t, Column>;  ///< By their number, from 1.

  Database(const CompoundFile& file, StringPool strings)
      : file_(file), strings_(std::move(strings)) {}
  Result<Bytes> stream(std::string_view table) const;
  Result<std::vector<Row>> read(std::string_view table,
                                const Columns& columns,
                                std::span<const std::string_view> wanted) const;
  Result<Field> field(const Column& column, ByteView bytes) const;

  const CompoundFile& file_;
  StringPool strings_;
  std::map<std::string, Columns, std::less<>> tables_;
};

}  // namespace signctl::msi
