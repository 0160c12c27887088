// SPDX-License-Identifier: Apache-2.0
// Signing what is inside: a container of which the test knows every byte, and a signer that appends
// a mark.
#include "engine/sign_inside.hpp"

#include "core/file.hpp"
#include "core/text.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/pe_builder.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace signctl;          // NOLINT(google-build-using-namespace): test
using namespace signctl::test;    // NOLINT(google-build-using-namespace): test
using namespace signctl::engine;  // NOLINT(google-build-using-namespace): test

namespace {

Error not_here() {
  return Error{ErrorKind::unsupported, "not in this test"};
}

struct Part {
  std::string path;
  Bytes bytes;
};

Bytes joined(const std::vector<Part>& parts) {
  Bytes all;
  for (const Part& part : parts) {
    all.insert(all.end(), part.bytes.begin(), part.bytes.end());
  }
  return all;
}

/// Its file is its parts, one behind the other.
class Bundle final : public Signable {
 public:
  explicit Bundle(std::vector<Part> parts) : parts_(std::move(parts)) {}

  Result<std::vector<Member>> members() override {
    std::vector<Member> all;
    for (const Part& part : parts_) {
      all.push_back({part.path, part.bytes.size()});
    }
    return all;
  }
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index) override {
    std::shared_ptr<const ByteSource> source = std::make_shared<MemorySource>(parts_[index].bytes);
    return source;
  }
  Result<PatchSet> exchange_members(std::span<const Replacement> replacements) override {
    PatchSet edits;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Move move{from, to, parts_[i].bytes.size(), nullptr};
      from += move.size;
      for (const Replacement& one : replacements) {
        if (one.index == i) {
          move = {0, to, one.bytes->size(), one.bytes};
        }
      }
      to += move.size;
      edits.moves.push_back(move);
    }
    return edits;
  }

  Result<std::vector<HashedRange>> hashed_ranges() override { return not_here(); }
  Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> /*algs*/) override {
    return not_here();
  }
  Result<SigningContent> content_to_sign(DigestAlg /*alg*/) override { return not_here(); }
  Result<std::vector<EmbeddedSignature>> signatures() override {
    return std::vector<EmbeddedSignature>{};
  }
  Result<std::vector<Finding>> container_findings() override { return not_here(); }
  Result<std::vector<Finding>> check_content(ByteView /*econtent*/) override { return not_here(); }
  Result<SigningContent> parse_content(ByteView /*econtent*/, DigestAlg /*alg*/) override {
    return not_here();
  }
  [[nodiscard]] AppendStyle append_style() const override { return AppendStyle::none; }
  Result<PatchSet> embed(std::span<const Bytes> /*signatures*/) override { return not_here(); }
  Result<PatchSet> strip() override { return not_here(); }
  Result<std::vector<FileFact>> facts() override { return not_here(); }

 private:
  std::vector<Part> parts_;
};

class BundleFormat final : public Format {
 public:
  explicit BundleFormat(bool exchange) : exchange_(exchange) {}
  [[nodiscard]] std::string_view name() const override { return "bundle"; }
  [[nodiscard]] std::string_view title() const override { return "Bundle"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override { return {}; }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities can;
    can.exchange = exchange_;
    return can;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& /*input*/) const override { return Sniff::no; }
  Result<std::unique_ptr<Signable>> open(
      std::shared_ptr<const ByteSource> /*source*/) const override {
    return not_here();
  }

 private:
  bool exchange_;
};

const Bytes kMark{'S', 'I', 'G', 'N', 'E', 'D'};

/// A bundle on disk and what signing made of it.
class Rig {
 public:
  explicit Rig(std::vector<Part> parts, bool exchange = true) : format_(exchange) {
    spill(path(), joined(parts));
    file_.source = must(FileSource::open(path()));
    file_.format = &format_;
    file_.signable = std::make_unique<Bundle>(std::move(parts));
  }

  Result<std::optional<Repacked>> run() {
    const SignOpened sign = [this](OpenedFile& opened, const FileTask& task, Stages& /*stages*/) {
      signed_as.push_back(std::string(opened.format->name()) + " ." + opened.extension);
      options = task.options;
      Bytes bytes = slurp(task.input);
      bytes.insert(bytes.end(), kMark.begin(), kMark.end());
      spill(task.output, bytes);
      FileOutcome outcome;
      outcome.state = refuse ? FileState::refused : FileState::done;
      return Result<FileOutcome>(std::move(outcome));
    };
    FileTask task{path(), path(), {}};
    task.options.page_hashes = PageHashes::on;
    task.options.if_signed = IfSigned::replace;
    Stages stages;
    return sign_inside(file_, task, stages, sign);
  }

  [[nodiscard]] std::string path() const { return folder_.file("app.bundle"); }
  [[nodiscard]] std::size_t files_in_folder() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      ++count;
    }
    return count;
  }

  bool refuse{false};
  std::vector<std::string> signed_as;
  SignOptions options;

 private:
  TemporaryFolder folder_;
  BundleFormat format_;
  OpenedFile file_;
};

Bytes text(std::string_view characters) {
  return {characters.begin(), characters.end()};
}

Bytes marked(Bytes bytes) {
  bytes.insert(bytes.end(), kMark.begin(), kMark.end());
  return bytes;
}

/// Longer than what is read in one block.
Bytes long_text() {
  return Bytes((std::size_t{3} << 20U) + 7, 'x');
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("sign inside: the unsigned is signed, all else keeps its bytes", "[engine]") {
  Rig rig({{"readme.txt", long_text()},
           {"bin/tool.exe", make_pe()},
           {"web/page.js", text("let x")},
           {"setup.ps1", text("'x'")},
           {"end.txt", text("end")}});

  const auto repacked = must(rig.run());

  REQUIRE(repacked);
  CHECK(repacked->paths == Lines{"bin/tool.exe", "setup.ps1"});
  CHECK(rig.signed_as == Lines{"pe .exe", "script .ps1"});
  CHECK(slurp(repacked->file.temporary_path()) == joined({{"", long_text()},
                                                          {"", marked(make_pe())},
                                                          {"", text("let x")},
                                                          {"", marked(text("'x'"))},
                                                          {"", text("end")}}));
  // The last one signed was a script, which has no page hashes; and nothing is replaced inside.
  CHECK(rig.options.page_hashes == PageHashes::off);
  CHECK(rig.options.if_signed == IfSigned::fail);
}

TEST_CASE("sign inside: nothing is left behind", "[engine]") {
  Rig rig({{"tool.exe", make_pe()}, {"b.exe", make_pe()}});
  {
    const auto repacked = must(rig.run());
    REQUIRE(repacked);
    // The container, and what was packed anew.
    CHECK(rig.files_in_folder() == 2);
  }
  CHECK(rig.files_in_folder() == 1);
}

TEST_CASE("sign inside: nothing to sign leaves the container alone", "[engine]") {
  Rig rig({{"readme.txt", text("x")}, {"page.js", text("x")}, {"empty.exe", {}}});

  CHECK_FALSE(must(rig.run()));
  CHECK(rig.signed_as.empty());
  CHECK(rig.files_in_folder() == 1);
}

TEST_CASE("sign inside: what cannot be packed anew is refused before anything is spent",
          "[engine]") {
  Rig rig({{"bin/tool.exe", make_pe()}}, false);

  const auto repacked = rig.run();

  REQUIRE_FALSE(repacked);
  CHECK(repacked.error().kind == ErrorKind::unsupported);
  CHECK(repacked.error().message.find("bin/tool.exe is unsigned") != std::string::npos);
  CHECK(rig.signed_as.empty());
}

TEST_CASE("sign inside: a malformed file inside is an error before anything is spent", "[engine]") {
  Bytes torn = make_pe();
  torn.resize(200);
  Rig rig({{"tool.exe", make_pe()}, {"torn.exe", torn}});

  CHECK_FALSE(rig.run());
  CHECK(rig.signed_as.empty());
}

TEST_CASE("sign inside: a refusal inside is one of the whole", "[engine]") {
  Rig rig({{"tool.exe", make_pe()}});
  rig.refuse = true;

  const auto repacked = rig.run();

  REQUIRE_FALSE(repacked);
  CHECK(repacked.error().kind == ErrorKind::gate);
  CHECK(repacked.error().message == "the gate refused tool.exe");
  CHECK(rig.files_in_folder() == 1);
}
