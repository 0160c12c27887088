// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.hpp"

#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace signctl;
using signctl::plan::expand;
using signctl::plan::FilePlan;
using signctl::plan::Selection;
using signctl::test::must;

namespace {

namespace fs = std::filesystem;

/// A folder with empty files in it.
class Tree {
 public:
  Tree(std::initializer_list<std::string> files) {
    for (const std::string& file : files) {
      add(file, "");
    }
  }
  void add(const std::string& file, std::string_view content) const {
    fs::create_directories(fs::path(folder_.file(file)).parent_path());
    const Bytes bytes(content.begin(), content.end());
    test::spill(folder_.file(file), bytes);
  }
  void link(const std::string& to, const std::string& name) const {
    fs::create_symlink(to, folder_.file(name));
  }
  [[nodiscard]] const std::string& path() const { return folder_.path(); }

  [[nodiscard]] Selection select(std::vector<std::string> include,
                                 std::vector<std::string> exclude = {}) const {
    Selection selection;
    selection.folder = path();
    selection.include = std::move(include);
    selection.exclude = std::move(exclude);
    return selection;
  }

  /// The planned files as seen from the folder.
  [[nodiscard]] std::vector<std::string> names(const FilePlan& plan) const {
    std::vector<std::string> names;
    for (const auto& file : plan.files) {
      INFO(file.path);
      CHECK(file.path.starts_with(path() + "/"));
      names.push_back(file.path.substr(path().size() + 1));
    }
    return names;
  }

 private:
  test::TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

bool is_exe(const std::string& path) {
  return path.ends_with(".exe");
}

Names planned(const Tree& tree, const Selection& selection) {
  return tree.names(must(expand({selection}, is_exe)));
}

Error failure(const Selection& selection) {
  const auto plan = expand({selection}, is_exe);
  REQUIRE_FALSE(plan);
  return plan.error();
}

}  // namespace

TEST_CASE("plan: patterns in their order, files in the bytewise order of names", "[plan]") {
  const Tree tree{
      "b.exe", "a.exe", "B.exe", "ä.exe", "a10.exe", "a2.exe", "x/z.exe", "x.dll", "w/q.exe"};

  CHECK(planned(tree, tree.select({"*.dll", "*.exe"})) ==
        Names{"x.dll", "B.exe", "a.exe", "a10.exe", "a2.exe", "b.exe", "ä.exe"});
  CHECK(planned(tree, tree.select({"**/*.exe"})) ==
        Names{"B.exe", "a.exe", "a10.exe", "a2.exe", "b.exe", "w/q.exe", "x/z.exe", "ä.exe"});
  CHECK(planned(tree, tree.select({"{x,w}/*"})) == Names{"w/q.exe", "x/z.exe"});
}

TEST_CASE("plan: every file says why it is in", "[plan]") {
  const Tree tree{"a.exe", "d/b.exe", "c.exe"};
  tree.add("list.txt", "c.exe\n");
  Selection selection = tree.select({"a.exe", "d", "@list.txt", "*.exe"});
  selection.step = "binaries";

  const FilePlan plan = must(expand({selection}, is_exe));

  REQUIRE(plan.files.size() == 3);
  CHECK(plan.files[0].because == "named");
  CHECK(plan.files[1].because == "in d");
  CHECK(plan.files[2].because == "named (from @list.txt)");
  CHECK(plan.files[0].step == "binaries");
}

TEST_CASE("plan: a folder gives what is recognised, a pattern all that matches", "[plan]") {
  const Tree tree{"d/a.exe", "d/readme.txt", "d/e/b.exe"};

  CHECK(planned(tree, tree.select({"d"})) == Names{"d/a.exe", "d/e/b.exe"});
  CHECK(planned(tree, tree.select({"d/"})) == Names{"d/a.exe", "d/e/b.exe"});
  CHECK(planned(tree, tree.select({"d/**"})) == Names{"d/a.exe", "d/e/b.exe", "d/readme.txt"});
  CHECK(planned(tree, tree.select({"d/readme.txt"})) == Names{"d/readme.txt"});
}

TEST_CASE("plan: an absolute pattern ignores the folder", "[plan]") {
  const Tree tree{"d/a.exe"};
  Selection selection;
  selection.include = {tree.path() + "/*/a.exe"};
  CHECK(planned(tree, selection) == Names{"d/a.exe"});

  selection.folder = "/nowhere";
  CHECK(planned(tree, selection) == Names{"d/a.exe"});
}

TEST_CASE("plan: a file whose name looks like a pattern is that file", "[plan]") {
  const Tree tree{"app[1].exe", "app1.exe", "{guid}.exe"};

  CHECK(planned(tree, tree.select({"app[1].exe"})) == Names{"app[1].exe"});
  CHECK(planned(tree, tree.select({"{guid}.exe"})) == Names{"{guid}.exe"});
  CHECK(planned(tree, tree.select({"app[[]1].exe"})) == Names{"app[1].exe"});
}

TEST_CASE("plan: excludes win, whatever the order", "[plan]") {
  const Tree tree{"p/a.exe",
                  "p/vc_redist.x64.exe",
                  "p/q/vc_redist.x86.exe",
                  "p/q/b.exe",
                  "obj/c.exe",
                  "p/obj/d.exe"};
  struct Row {
    Names include;
    Names exclude;
    Names wanted;
  };
  const auto row = GENERATE(values<Row>({
      {{"p/**/*.exe"}, {"p/**/vc_redist*"}, {"p/a.exe", "p/obj/d.exe", "p/q/b.exe"}},
      {{"!p/**/vc_redist*", "p/**/*.exe"}, {}, {"p/a.exe", "p/obj/d.exe", "p/q/b.exe"}},
      {{"p/**/*.exe", "!vc_redist*"}, {}, {"p/a.exe", "p/obj/d.exe", "p/q/b.exe"}},
      {{"**"}, {"obj", "vc*"}, {"p/a.exe", "p/q/b.exe"}},
      {{"**"}, {"./obj", "vc*"}, {"p/a.exe", "p/obj/d.exe", "p/q/b.exe"}},
      {{"**"}, {"p/q", "**/obj/**"}, {"p/a.exe", "p/vc_redist.x64.exe"}},
      {{"p"}, {"p/{q,obj}/**"}, {"p/a.exe", "p/vc_redist.x64.exe"}},
      {{"p/a.exe", "p/q/b.exe"}, {"p/a.exe"}, {"p/q/b.exe"}},
      {{"p/q/../a.exe", "p/q/b.exe"}, {"p/a.exe"}, {"p/q/b.exe"}},
  }));
  Selection selection = tree.select(row.include, row.exclude);

  CHECK(planned(tree, selection) == row.wanted);

  // The same files and excludes, given as absolute paths.
  Selection absolute = selection;
  for (std::string& entry : absolute.include) {
    entry = entry.starts_with('!') ? entry : tree.path() + "/" + entry;
  }
  CHECK(planned(tree, absolute).size() == row.wanted.size());
}

TEST_CASE("plan: what is excluded is listed once, with the reason", "[plan]") {
  const Tree tree{"a.exe", "b.exe"};

  const FilePlan plan = must(expand({tree.select({"*.exe", "b.exe"}, {"b*"})}, is_exe));

  REQUIRE(plan.excluded.size() == 1);
  CHECK(plan.excluded[0].path == tree.path() + "/b.exe");
  CHECK(plan.excluded[0].because == "excluded by b*");
}

TEST_CASE("plan: the same real file is planned once, at its first place", "[plan]") {
  const Tree tree{"a.exe", "b.exe", "d/c.exe"};
  tree.link("../a.exe", "d/link.exe");
  Selection first = tree.select({"b.exe", "*.exe", "./b.exe", "d/../a.exe"});
  first.step = "first";
  Selection second = tree.select({"d/*", "a.exe"});
  second.step = "second";

  const FilePlan plan = must(expand({first, second}, is_exe));

  CHECK(tree.names(plan) == Names{"b.exe", "a.exe", "d/c.exe"});
  CHECK(plan.files[1].step == "first");
  CHECK(plan.files[2].step == "second");
}

TEST_CASE("plan: hard links are files of their own, because each is replaced alone", "[plan]") {
  const Tree tree{"a.exe"};
  fs::create_hard_link(tree.path() + "/a.exe", tree.path() + "/b.exe");

  CHECK(planned(tree, tree.select({"*.exe"})) == Names{"a.exe", "b.exe"});
}

TEST_CASE("plan: links to folders are followed, circles end", "[plan]") {
  const Tree tree{"d/a.exe", "e/f/b.exe"};
  tree.link("..", "d/up");
  tree.link("../d", "d/self");
  tree.link("e", "linked");

  CHECK(planned(tree, tree.select({"d/**/*.exe"})) == Names{"d/a.exe", "d/up/e/f/b.exe"});
  CHECK(planned(tree, tree.select({"linked/**"})) == Names{"linked/f/b.exe"});
  CHECK(planned(tree, tree.select({"d"})) == Names{"d/a.exe", "d/up/e/f/b.exe"});
}

TEST_CASE("plan: what is excluded is not signed through a link to it", "[plan]") {
  const Tree tree{"d/a.exe", "d/b.exe"};
  tree.link("b.exe", "d/link.exe");
  tree.link("d", "other");

  CHECK(planned(tree, tree.select({"d/*.exe"}, {"d/b.exe"})) == Names{"d/a.exe"});
  CHECK(planned(tree, tree.select({"other/*.exe"}, {"d/b.exe"})) == Names{"other/a.exe"});
}

TEST_CASE("plan: what lies in the project does not hide behind a link that is excluded", "[plan]") {
  const Tree tree{"third/v.exe", "a/deep/w.exe"};
  tree.link("third", "lnk");
  tree.link("../a/deep", "a/also");

  CHECK(planned(tree, tree.select({"**/*.exe"}, {"lnk/**", "a/also/**"})) ==
        Names{"a/deep/w.exe", "third/v.exe"});
}

TEST_CASE("plan: a file in a folder that a link leads to is said to lie elsewhere", "[plan]") {
  const Tree tree{"outside/a.exe", "project/b.exe"};
  tree.link("../outside", "project/ext");
  Selection selection = tree.select({"**/*.exe"});
  selection.folder = tree.path() + "/project";
  const FilePlan plan = must(expand({selection}, is_exe));

  REQUIRE(plan.files.size() == 2);
  CHECK(plan.files[0].real.empty());
  CHECK_THAT(plan.files[1].real, Catch::EndsWith("/outside/a.exe"));
}

TEST_CASE("plan: a web of links costs no more than its folders", "[plan]") {
  const Tree tree{"0/a.exe"};
  for (int i = 0; i < 12; ++i) {
    fs::create_directories(tree.path() + "/" + std::to_string(i));
    for (int j = 0; j < 12; ++j) {
      tree.link("../" + std::to_string(j), std::to_string(i) + "/to" + std::to_string(j));
    }
  }

  CHECK(planned(tree, tree.select({"**/*.exe"})) == Names{"0/a.exe"});
}

TEST_CASE("plan: our own files are not found by wildcards", "[plan]") {
  const Tree tree{"a.exe", ".signctl-1-2.tmp", ".signctl-rehearsal/a.exe", ".hidden.exe"};

  CHECK(planned(tree, tree.select({"**"})) == Names{".hidden.exe", "a.exe"});
  CHECK(planned(tree, tree.select({"."})) == Names{".hidden.exe", "a.exe"});
  CHECK(planned(tree, tree.select({".signctl-rehearsal/*"})) == Names{".signctl-rehearsal/a.exe"});
}

TEST_CASE("plan: a list is read line by line", "[plan]") {
  const Tree tree{"a.exe", "b.exe", "c d.exe", "e.exe", "f.exe"};
  fs::create_directories(tree.path() + "/lists");
  tree.add("lists/files.txt", "\xEF\xBB\xBF# files\r\nc d.exe\r\n\r\n[ab].exe\n!b.exe\n./e.exe");

  CHECK(planned(tree, tree.select({"f.exe", "@lists/files.txt"})) ==
        Names{"f.exe", "c d.exe", "a.exe", "e.exe"});
}

TEST_CASE("plan: a list that is absent, empty or names another list is refused", "[plan]") {
  const Tree tree{"a.exe"};
  tree.add("empty.txt", "# nothing\n\n");
  tree.add("nested.txt", "@empty.txt\n");
  tree.add("wrong.txt", "absent.exe\n");

  CHECK(failure(tree.select({"@absent.txt"})).kind == ErrorKind::input);
  CHECK_THAT(failure(tree.select({"@empty.txt"})).message, Catch::Contains("names no files"));
  CHECK(failure(tree.select({"@nested.txt"})).kind == ErrorKind::config);
  CHECK_THAT(test::text_of(failure(tree.select({"@wrong.txt"}))), Catch::Contains("@wrong.txt"));
}

TEST_CASE("plan: what matches nothing is an input error that names it", "[plan]") {
  const Tree tree{"setup.exe", "d/readme.txt"};
  struct Row {
    std::string entry;
    std::string words;
    std::string hint;
  };
  const auto row = GENERATE(values<Row>({
      {"*.msi", "pattern '*.msi' matched nothing", "relative to"},
      {"absent/**/*.exe", "matched nothing", "spelling"},
      {"setpu.exe", "does not exist", "setup.exe?"},
      {"nowhere/x.exe", "does not exist", "check the path"},
      {"d", "no file in the folder", "signctl formats"},
      {"D*/**", "matched nothing", "case counts"},
      {"*.EXE", "setup.exe is spelt with letters of the other case", "case counts"},
      {"setup.exe/*", "matched nothing", ""},
  }));
  INFO(row.entry);
  Selection selection = tree.select({"setup.exe", row.entry});
  selection.step = "installer";

  const Error error = failure(selection);

  INFO(test::text_of(error));
  CHECK(error.kind == ErrorKind::input);
  CHECK_THAT(error.message, Catch::Contains(row.words));
  CHECK_THAT(error.hint, Catch::Contains(row.hint));
  CHECK_THAT(test::text_of(error), Catch::Contains("installer"));
}

TEST_CASE("plan: a file that may not be looked at is not called absent", "[plan]") {
  const Tree tree{"closed/x.exe"};
  fs::permissions(tree.path(), static_cast<fs::perms>(0755));
  fs::permissions(tree.path() + "/closed", fs::perms::none);
  const auto is_as_wanted = [&] {
    const auto plan = expand({tree.select({"closed/x.exe"})}, is_exe);
    return !plan && plan.error().kind == ErrorKind::input &&
           plan.error().message.find("closed/x.exe: permission denied") != std::string::npos &&
           plan.error().hint.find("enter its folders") != std::string::npos;
  };
  int status = 0;
  // Root may look everywhere, so a child that becomes nobody tries.
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool is_ordinary = ::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0);
    ::_exit(is_ordinary && is_as_wanted() ? 7 : 8);
  }
  REQUIRE(::waitpid(child, &status, 0) == child);
  fs::permissions(tree.path() + "/closed", fs::perms::owner_all);

  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("plan: a link that leads nowhere is called that", "[plan]") {
  const Tree tree{"other.exe"};
  tree.link("gone.exe", "setup.exe");

  const Error error = failure(tree.select({"setup.exe"}));

  CHECK_THAT(error.message, Catch::Contains("a symbolic link that leads nowhere"));
  CHECK_THAT(error.hint, !Catch::Contains("did you mean"));
}

TEST_CASE("plan: nothing left after the excludes is an input error", "[plan]") {
  const Tree tree{"a.exe"};

  CHECK_THAT(failure(tree.select({"a.exe"}, {"*.exe"})).message, Catch::Contains("excluded"));
  CHECK_THAT(failure(tree.select({"!a.exe"})).message, Catch::Contains("no files are selected"));
  CHECK_THAT(failure(tree.select({})).message, Catch::Contains("no files are selected"));
}

TEST_CASE("plan: a selection may be allowed to be empty, but not to name what is absent",
          "[plan]") {
  const Tree tree{"d/readme.txt"};
  tree.add("empty.txt", "");
  for (const char* entry : {"*.msi", "d", "@empty.txt", "absent/**"}) {
    INFO(entry);
    Selection selection = tree.select({entry});
    selection.allow_empty = true;
    CHECK(must(expand({selection}, is_exe)).files.empty());
  }
  Selection selection = tree.select({"absent.exe"});
  selection.allow_empty = true;
  CHECK(failure(selection).kind == ErrorKind::input);
}

TEST_CASE("plan: malformed patterns are config errors wherever they are", "[plan]") {
  const Tree tree{"a.exe"};

  CHECK(failure(tree.select({"*.{exe"})).kind == ErrorKind::config);
  CHECK(failure(tree.select({"a.exe"}, {"[z-a]"})).kind == ErrorKind::config);
  CHECK(failure(tree.select({"a.exe", "!{"})).kind == ErrorKind::config);
  CHECK(failure(tree.select({"a.exe", "!"})).kind == ErrorKind::config);
  CHECK(failure(tree.select({"a.exe", ""})).kind == ErrorKind::config);
}

TEST_CASE("plan: a matching link that leads nowhere is an error, not a gap", "[plan]") {
  const Tree tree{"a.exe"};
  tree.link("gone.exe", "b.exe");

  const Error error = failure(tree.select({"*.exe"}));
  CHECK(error.kind == ErrorKind::input);
  CHECK_THAT(error.message, Catch::Contains("b.exe"));
  CHECK(planned(tree, tree.select({"*.exe"}, {"b.exe"})) == Names{"a.exe"});
}

TEST_CASE("plan: pipes and devices are not found by wildcards", "[plan]") {
  const Tree tree{"a.exe"};
  REQUIRE(::mkfifo((tree.path() + "/pipe.exe").c_str(), 0600) == 0);

  CHECK(planned(tree, tree.select({"*.exe"})) == Names{"a.exe"});
}

TEST_CASE("plan: what cannot be looked at is an error, not a gap", "[plan]") {
  const Tree tree{"a.exe"};
  const std::string name(200, 'n');
  int folder = ::open(tree.path().c_str(), O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 25; ++depth) {  // Beyond PATH_MAX.
    REQUIRE(::mkdirat(folder, name.c_str(), 0700) == 0);
    const int next = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(folder);
    folder = next;
  }
  ::close(folder);
  const Error error = failure(tree.select({"**/*.exe"}));

  CHECK(error.kind == ErrorKind::input);
  CHECK_THAT(error.message, Catch::Contains("too long"));
}

TEST_CASE("plan: a folder that cannot be listed is an error, not a gap", "[plan]") {
  if (::geteuid() == 0) {
    WARN("SKIPPED: an unreadable folder (root may list everything)");
    return;
  }
  const Tree tree{"a.exe", "closed/b.exe"};
  fs::permissions(tree.path() + "/closed", fs::perms::none);
  const Error error = failure(tree.select({"**/*.exe"}));
  fs::permissions(tree.path() + "/closed", fs::perms::owner_all);

  CHECK(error.kind == ErrorKind::input);
  CHECK_THAT(error.message, Catch::Contains("closed"));
}
