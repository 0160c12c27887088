// SPDX-License-Identifier: Apache-2.0
// Files whose signatures name their signer, and services that change it from one call to the next.
#include "cms/signed_data.hpp"
#include "core/text.hpp"
#include "engine/opened_file.hpp"
#include "engine/sign_file.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"
#include "support/zip_builder.hpp"

#include <memory>
#include <utility>
#include <vector>

using namespace signctl;          // NOLINT(google-build-using-namespace): test
using namespace signctl::test;    // NOLINT(google-build-using-namespace): test
using namespace signctl::engine;  // NOLINT(google-build-using-namespace): test

namespace {

constexpr auto kRsa = crypto::PrivateKey::Spec::rsa2048;

const crypto::KeyBundle& root() {
  static const crypto::KeyBundle made = issue(ca_named("Root"), nullptr, kRsa);
  return made;
}

const crypto::KeyBundle& identity(std::size_t index) {
  static const std::vector<crypto::KeyBundle> made{
      issue(leaf_for("codeSigning", "First"), &root(), kRsa),
      issue(leaf_for("codeSigning", "Second"), &root(), kRsa),
      issue(leaf_for("codeSigning", "Third"), &root(), kRsa)};
  return made.at(index);
}

std::vector<Bytes> chain_of(std::size_t index) {
  return {identity(index).chain.front().der()};
}

/// Announces one identity and signs with others, in turn; the last one stays.
class RotatingSession final : public SigningSession {
 public:
  RotatingSession(std::vector<Bytes> announced, std::vector<std::size_t> signers)
      : announced_(std::move(announced)), signers_(std::move(signers)) {}

  Result<std::vector<Bytes>> expected_chain() override { return announced_; }
  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    const std::size_t by = signers_[std::min(calls++, signers_.size() - 1)];
    SIGNCTL_TRY(Bytes value, identity(by).key.sign_digest(digest, alg), "");
    return SignedDigest{std::move(value), chain_of(by)};
  }
  Result<std::unique_ptr<SigningSession>> another() override {
    return Error{ErrorKind::internal, "one is enough"};
  }

  std::size_t calls{0};

 private:
  std::vector<Bytes> announced_;
  std::vector<std::size_t> signers_;
};

struct Attempt {
  Result<FileOutcome> outcome;
  std::size_t calls;
  bool touched;
  std::string signer;  ///< Subject of the certificate that the file names now; empty if unsigned.
};

Attempt sign_package(std::vector<Bytes> announced, std::vector<std::size_t> signers) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.nupkg");
  ZipSpec spec;
  spec.files = {{"a.nuspec", {'<', 'a', '/', '>'}}, {"[Content_Types].xml", {'<', 'a', '/', '>'}}};
  const Bytes plain = make_zip(spec);
  spill(path, plain);
  RotatingSession session(std::move(announced), std::move(signers));
  Gate gate;
  gate.store = anchors_of({root().chain[0]});
  gate.rules.timestamp = TimestampRule::optional;
  FakeClock clock(issued_day(0));
  Stages stages;
  stages.session = &session;
  stages.gate = &gate;
  stages.clock = &clock;

  auto outcome = sign_file({path, path, {}}, stages);

  std::string signer;
  auto opened = must(open_file(path));
  const auto stored = must(stored_signatures(*opened.signable));
  if (!stored.empty()) {
    const auto data = must(cms::parse_signed_data(stored.front()));
    signer = must(cms::find_signer_certificate(data, data.signers.front())).info().subject;
  }
  return {std::move(outcome), session.calls, slurp(path) != plain, std::move(signer)};
}

}  // namespace

TEST_CASE("signatory: the announced certificate is the one that is named", "[unit][engine]") {
  const Attempt attempt = sign_package(chain_of(0), {0});

  REQUIRE(attempt.outcome);
  CHECK(attempt.outcome->state == FileState::done);
  CHECK(attempt.calls == 1);
  CHECK(attempt.signer == "CN=First");
}

TEST_CASE("signatory: a certificate that changed is named in a second signature",
          "[unit][engine]") {
  const Attempt attempt = sign_package(chain_of(0), {1});

  REQUIRE(attempt.outcome);
  CHECK(attempt.outcome->state == FileState::done);
  CHECK(attempt.calls == 2);
  CHECK(attempt.signer == "CN=Second");
}

TEST_CASE("signatory: one that changes again is an error, and the file is left alone",
          "[unit][engine]") {
  const Attempt attempt = sign_package(chain_of(0), {1, 2});

  REQUIRE_FALSE(attempt.outcome);
  CHECK(attempt.outcome.error().kind == ErrorKind::provider);
  CHECK(attempt.calls == 2);
  CHECK_FALSE(attempt.touched);
}

TEST_CASE("signatory: a signer that announces nobody spends nothing", "[unit][engine]") {
  const Attempt attempt = sign_package({}, {0});

  REQUIRE_FALSE(attempt.outcome);
  CHECK(attempt.outcome.error().kind == ErrorKind::unsupported);
  CHECK(attempt.calls == 0);
  CHECK_FALSE(attempt.touched);
}
