// SPDX-License-Identifier: Apache-2.0
#include "plan/glob.hpp"

#include "plan/braces.hpp"
#include "plan/plan.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"

#include <chrono>

using namespace signctl;
using signctl::plan::expand_braces;
using signctl::plan::Glob;
using signctl::plan::glob_matches;
using signctl::test::must;

TEST_CASE("glob: what matches and what does not", "[plan]") {
  struct Row {
    std::string glob;
    std::string path;
    bool matches;
  };
  const auto row = GENERATE(values<Row>({
      {"a.exe", "a.exe", true},
      {"a.exe", "A.EXE", false},
      {"a.exe", "b/a.exe", false},
      {"*.exe", "a.exe", true},
      {"*.exe", ".exe", true},
      {"*.exe", "a.exe.bak", false},
      {"*.exe", "b/a.exe", false},
      {"*", "a", true},
      {"*", "", false},
      {"**", "a", true},
      {"**", "a/b/c", true},
      {"**/*.exe", "a.exe", true},
      {"**/*.exe", "x/y/a.exe", true},
      {"publish/**/*.exe", "publish/a.exe", true},
      {"publish/**/*.exe", "publish/x/y/a.exe", true},
      {"publish/**/*.exe", "publish", false},
      {"publish/**/*.exe", "republish/a.exe", false},
      {"publish/**", "publish/x/a.txt", true},
      {"publish/**", "publish", false},
      {"**/bin/**/*.dll", "a/bin/b/bin/c.dll", true},
      {"**/bin/**/*.dll", "a/bin/c.dll", true},
      {"**/bin/**/*.dll", "a/c.dll", false},
      {"a**b", "a12b", true},
      {"a**b", "a1/2b", false},
      {"a*b*c", "aXbYbZc", true},
      {"a*b*c", "aXbY", false},
      {"?.exe", "a.exe", true},
      {"?.exe", "ü.exe", true},
      {"?.exe", "日.exe", true},
      {"?.exe", "ab.exe", false},
      {"a?b", "a/b", false},
      {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false},
      {"[!a-c]x", "dx", true},
      {"[^a-c]x", "ax", false},
      {"[!a]", "/", false},
      {"[]]", "]", true},
      {"[!]]", "a", true},
      {"[a-]", "-", true},
      {"[-a]", "-", true},
      {"[*]", "*", true},
      {"[*]", "a", false},
      {"[ä-ü]", "ö", true},
      {"[{,}]", "{", true},
      {"[{,}]", ",", true},
      {"{a,b}.exe", "b.exe", true},
      {"{a,b}.exe", "c.exe", false},
      {"{a,b}.exe", "{a,b}.exe", false},
      {"x{,64}.dll", "x.dll", true},
      {"x{,64}.dll", "x64.dll", true},
      {"{a,b{1,2{x,y}}}.dll", "b2y.dll", true},
      {"{a,b{1,2{x,y}}}.dll", "b2.dll", false},
      {"{bin,lib/**}/*.dll", "lib/x/y/a.dll", true},
      {"{bin,lib/**}/*.dll", "bin/a.dll", true},
      {"{bin,lib/**}/*.dll", "bin/x/a.dll", false},
      {"*.{exe,dll}", "a.dll", true},
      {"{a}", "a", true},
      {"./a/./b", "a/b", true},
      {"a//b/", "a/b", true},
      {"/a/*", "/a/b", true},
      {"/a/*", "a/b", false},
      {"a/*", "/a/b", false},
      {"../a/*", "../a/b", true},
      {"refs/tags/v*", "refs/tags/v1.2", true},
      {"refs/tags/v*", "refs/tags/v1/x", false},
      {".*", ".hidden", true},
      {"*", ".hidden", true},
      {"*\xff", "a\xff", true},
      {"?", "\xff", true},
      {"?", "\xff\xfe", false},
      {"\xff", "\xfe", false},
  }));
  INFO(row.glob << " against " << row.path);
  CHECK(glob_matches(row.glob, row.path) == row.matches);
}

TEST_CASE("glob: malformed patterns are config errors and match nothing", "[plan]") {
  for (const std::string pattern : {"{a",
                                    "a}",
                                    "{a,{b}",
                                    "[a",
                                    "[",
                                    "[]",
                                    "[!]",
                                    "[z-a]",
                                    "[a/b]",
                                    "{[}]",
                                    "",
                                    "/",
                                    ".",
                                    "{/a,b}",
                                    "{a,}/{",
                                    "x[a-"}) {
    INFO(pattern);
    const auto glob = Glob::parse(pattern);
    REQUIRE_FALSE(glob);
    CHECK(glob.error().kind == ErrorKind::config);
    CHECK_THAT(glob.error().message, Catch::Contains("malformed"));
    CHECK_FALSE(glob_matches(pattern, "a"));
  }
}

TEST_CASE("glob: hostile patterns are refused or cheap", "[plan]") {
  std::string many;
  std::string deep;
  for (int i = 0; i < 20; ++i) {
    many += "{a,b}";
    deep += "{x,";
  }
  CHECK_FALSE(Glob::parse(many));
  CHECK_FALSE(Glob::parse(deep + std::string(20, '}')));
  CHECK_FALSE(Glob::parse(std::string(5000, 'a')));

  std::string stars;
  std::string folders;
  std::string names;
  for (int i = 0; i < 200; ++i) {
    stars += "*a";
    folders += "**/a/";
    names += "a/";
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK_FALSE(glob_matches(stars + "b", std::string(4000, 'a')));
  CHECK_FALSE(glob_matches(folders + "b", names + names + "c"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{10});
}

TEST_CASE("glob: braces keep their order", "[plan]") {
  CHECK(must(expand_braces("{b,a}/{2,1}")) == std::vector<std::string>{"b/2", "b/1", "a/2", "a/1"});
  CHECK(must(expand_braces("x{,{1,2}}")) == std::vector<std::string>{"x", "x1", "x2"});
  CHECK(must(expand_braces("plain")) == std::vector<std::string>{"plain"});
}

TEST_CASE("glob: a folder is known to be worth a look or not", "[plan]") {
  const Glob glob = must(Glob::parse("src/*/bin/**/*.exe"));
  const auto state = glob.step(glob.start(), "src");

  CHECK(glob.step(glob.start(), "doc").empty());
  CHECK_FALSE(state.empty());
  CHECK(glob.literal_names(glob.start()) == std::vector<std::string>{"src"});
  CHECK_FALSE(glob.literal_names(state));
  CHECK(glob.step(glob.step(state, "x"), "lib").empty());
}
