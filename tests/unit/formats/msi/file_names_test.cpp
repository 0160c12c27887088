// SPDX-License-Identifier: Apache-2.0
// The names that an installer's tables give to files inside it.
#include "formats/msi/file_names.hpp"

#include "cfb_builder.hpp"
#include "support/catch.hpp"

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test

namespace {

/// A database with the tables File and CustomAction, one row each.
struct DatabaseSpec {
  std::vector<std::string> strings{
      "File", "FileName", "CustomAction", "Type", "Source", "readme", "A~1.PS1|a.ps1", "vbsca"};
  std::vector<std::uint16_t> columns{1,
                                     1,
                                     3,
                                     3,  // Table
                                     0x8001,
                                     0x8002,
                                     0x8001,
                                     0x8002,  // Number
                                     1,
                                     2,
                                     4,
                                     5,  // Name
                                     0xAD48,
                                     0x8FFF,
                                     0x8502,
                                     0x9D48};  // Type
  std::vector<std::uint16_t> file{6, 7};
  std::vector<std::uint16_t> actions{0x8006, 8};
};

Bytes words(const std::vector<std::uint16_t>& values) {
  Bytes bytes;
  for (const std::uint16_t value : values) {
    put_le(bytes, value);
  }
  return bytes;
}

CfbSpec with_database(const DatabaseSpec& spec) {
  Bytes pool = words({1252, 0});
  Bytes data;
  for (const std::string& text : spec.strings) {
    put_le(pool, static_cast<std::uint16_t>(text.size()));
    put_le(pool, std::uint16_t{1});
    data.insert(data.end(), text.begin(), text.end());
  }
  CfbSpec cfb;
  cfb.streams = {{msi::encode_table_name("_StringPool"), pool},
                 {msi::encode_table_name("_StringData"), data},
                 {msi::encode_table_name("_Columns"), words(spec.columns)},
                 {msi::encode_table_name("File"), words(spec.file)},
                 {msi::encode_table_name("CustomAction"), words(spec.actions)},
                 {u"Binary.vbsca", Bytes(20, 'a')},
                 {u"a.cab", Bytes{'M', 'S', 'C', 'F', 0, 0, 0, 0}}};
  return cfb;
}

Result<msi::FileNames> names_of(const DatabaseSpec& spec) {
  return msi::read_file_names(*must(
      msi::CompoundFile::open(std::make_shared<MemorySource>(make_cfb(with_database(spec))))));
}

}  // namespace

TEST_CASE("msi names: a table's stream is called as Windows Installer calls it", "[formats][msi]") {
  CHECK(msi::encode_table_name("_Tables") == u"\x4840\x3F7F\x4164\x422F\x4836");
  CHECK(msi::decode_name(msi::encode_table_name("File")) == "!File");
}

TEST_CASE("msi names: files and scripts are called as the tables say", "[formats][msi]") {
  DatabaseSpec spec;
  const auto names = must(names_of(spec));
  CHECK(*names.files == MemberNames{{"readme", "a.ps1"}});
  REQUIRE(names.script_streams.size() == 1);
  CHECK(names.script_streams.at("Binary.vbsca") == ".vbs");

  spec.actions = {0x8016, 6};  // Type 22: a VBScript among the installed files.
  CHECK(must(names_of(spec)).files->at("readme") == "a.ps1.vbs");

  const auto file = open(make_cfb(with_database({})));
  const auto members = must(file->members());
  REQUIRE(members.size() == 2);
  CHECK(members[0].path == "Binary.vbsca.vbs");
  REQUIRE(members[1].names);
  CHECK(members[1].names->at("readme") == "a.ps1");
}

TEST_CASE("msi names: a database that contradicts itself is told", "[formats][msi]") {
  DatabaseSpec spec;
  SECTION("a string that is not there") {
    spec.file[1] = 99;
  }
  SECTION("a row that is cut short") {
    spec.file.pop_back();
  }
  SECTION("a key twice") {
    spec.file = {6, 6, 7, 7};
  }
  SECTION("a column twice") {
    spec.columns[5] = 0x8001;
  }
  SECTION("a column left out") {
    spec.columns[5] = 0x8003;
  }
  SECTION("a column of another name") {
    spec.columns[9] = 4;
  }
  SECTION("a name that is too long") {
    spec.strings[6] = std::string(1025, 'a');
  }
  CHECK_FALSE(names_of(spec));
  bool told = false;
  for (const Finding& finding : must(open(make_cfb(with_database(spec)))->container_findings())) {
    told = told || (finding.id == "msi-names-unreadable" && finding.severity == Severity::warning);
  }
  CHECK(told);
}

TEST_CASE("msi names: string lengths that are not those of the data are told", "[formats][msi]") {
  for (const int change : {-1, 1, 0x7000}) {
    CfbSpec spec = with_database({});
    Bytes& pool = spec.streams.front().second;
    pool[4] = static_cast<std::uint8_t>(pool[4] + (change & 0xFF));
    pool[5] = static_cast<std::uint8_t>(change > 0xFF ? change >> 8 : 0);
    CHECK_FALSE(msi::read_file_names(
        *must(msi::CompoundFile::open(std::make_shared<MemorySource>(make_cfb(spec))))));
  }
}
