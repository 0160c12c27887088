// SPDX-License-Identifier: Apache-2.0
// One flipped byte anywhere in what a signature covers must be refused: exhaustively for a small
// file that we sign, at many places for files that others have signed.
#include "core/file.hpp"
#include "core/text.hpp"
#include "crypto/issue.hpp"
#include "support/catch.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "timestamp/client.hpp"
#include "trust/stores.hpp"
#include "verify/verify.hpp"

#include <signctl/engine.hpp>
#include <signctl/make.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace signctl;  // NOLINT(google-build-using-namespace): a test program of one file
using test::must;

const std::string kSource = SIGNCTL_SOURCE_DIR;

/// A key in memory, as a provider would have it.
class MemorySession final : public SigningSession {
 public:
  explicit MemorySession(crypto::KeyBundle bundle) : bundle_(std::move(bundle)) {}
  Result<std::vector<Bytes>> expected_chain() override {
    return std::vector<Bytes>{bundle_.chain.front().der()};
  }
  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    SIGNCTL_TRY(Bytes signature, bundle_.key.sign_digest(digest, alg), "");
    return SignedDigest{std::move(signature), {bundle_.chain.front().der()}};
  }
  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> session = std::make_unique<MemorySession>(bundle_);
    return session;
  }

 private:
  crypto::KeyBundle bundle_;
};

crypto::KeyBundle make_signer(TimePoint now) {
  auto key = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256));
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", "Flips"}};
  wanted.not_before = now - std::chrono::days(1);
  wanted.not_after = now + std::chrono::days(100);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = "codeSigning";
  auto certificate = must(crypto::issue_certificate(wanted, key, nullptr));
  return {std::move(key), {std::move(certificate)}};
}

Verdict judge_bytes(const Bytes& image, const verify::Options& options, const GateRules& rules) {
  auto file = builtin_formats().front()->open(std::make_shared<MemorySource>(image));
  if (!file) {
    return {};
  }
  const auto report = verify::verify_file(**file, options);
  return report ? judge(*report, rules) : Verdict{};
}

/// Whether a file of somebody else's still has the digest that was signed.
bool digest_holds(const Bytes& image, const verify::Options& options) {
  const Verdict verdict = judge_bytes(image, options, {});
  const bool says_unsigned = verdict.findings.empty();
  return !says_unsigned &&
         std::none_of(verdict.findings.begin(), verdict.findings.end(), [](const Finding& one) {
           return one.id == "digest-mismatch" || one.id == "unsigned";
         });
}

}  // namespace

TEST_CASE("flips: every byte of a small signed file but its CheckSum counts", "[interop]") {
  const std::string source = "/usr/share/nsis/Plugins/x86-unicode/System.dll";
  if (!std::filesystem::exists(source)) {
    std::cout << "SKIPPED: flips of a small file (" << source << " is not here)\n";
    return;
  }
  const test::TemporaryFolder folder;
  const std::string path = folder.file("small.dll");
  test::spill(path, test::slurp(source));
  const auto clock = make_system_clock();
  const auto environment = make_process_environment();
  const auto http = make_http_client(*environment);
  engine::Gate gate;
  gate.store = trust::composite({});
  gate.trust_signer = true;
  gate.rules.rehearsal = RehearsalRule::accept;
  MemorySession session(make_signer(clock->now()));
  const auto timestamper = must(make_timestamper({"dev:"}, {*clock, *environment, *http}));
  engine::Stages stages{&session, timestamper.get(), &gate, clock.get()};
  const auto outcome = must(engine::sign_file({path, path, {}}, stages));
  REQUIRE(outcome.state == engine::FileState::done);
  Bytes image = test::slurp(path);
  const verify::Options options{gate.store, true, clock->now()};
  REQUIRE(judge_bytes(image, options, gate.rules).passed);

  // Every byte of the headers and of the signature, every seventh in between.
  const std::size_t table = image.size() - outcome.report.signatures.front().cms.size() - 16;
  std::set<std::size_t> passed;
  std::size_t tried = 0;
  for (std::size_t i = 0; i < image.size(); i += i < 1024 || i >= table ? 1 : 7) {
    image[i] ^= 0x01U;
    ++tried;
    if (judge_bytes(image, options, gate.rules).passed) {
      passed.insert(i);
    }
    image[i] ^= 0x01U;
  }

  const std::size_t checksum = image[0x3C] + image[0x3D] * 256U + 88U;
  REQUIRE(tried > 5000);
  for (const std::size_t offset : passed) {
    INFO("a flip at " << offset << " of " << image.size() << " passed");
    CHECK((offset >= checksum && offset < checksum + 4));
  }
}

TEST_CASE("flips: files that others have signed are refused at every place tried", "[interop]") {
  const verify::Options options{trust::composite({}), false, make_system_clock()->now()};
  for (const std::string& path : {std::string("/usr/lib/shim/shimx64.efi.signed"),
                                  std::string("/usr/lib/shim/fbx64.efi.signed"),
                                  kSource + "/build/samples/signtool-2010.exe",
                                  kSource + "/build/samples/node.exe"}) {
    if (!std::filesystem::exists(path)) {
      std::cout << "SKIPPED: flips of " << path << " (it is not here)\n";
      continue;
    }
    Bytes image = test::slurp(path);
    REQUIRE(digest_holds(image, options));
    auto file = must(builtin_formats().front()->open(std::make_shared<MemorySource>(image)));
    const auto ranges = must(file->hashed_ranges());
    std::size_t tried = 0;
    // Hashing is what takes time: as many places as 2 GB of it allow.
    const std::uint64_t places = std::clamp<std::uint64_t>(2'000'000'000 / image.size(), 20, 600);
    for (const HashedRange& range : ranges) {
      const std::uint64_t step = std::max<std::uint64_t>((range.end - range.begin) / places, 1);
      for (std::uint64_t offset = range.begin; offset < range.end; offset += step) {
        const auto at = static_cast<std::size_t>(offset);
        image[at] ^= 0x80U;
        INFO(path << ": a flip at " << offset);
        CHECK_FALSE(digest_holds(image, options));
        image[at] ^= 0x80U;
        ++tried;
      }
    }
    INFO(path);
    REQUIRE(tried >= 20);
  }
}
