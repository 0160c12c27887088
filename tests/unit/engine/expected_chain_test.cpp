// SPDX-License-Identifier: Apache-2.0
// What is known of a signer before a signature is spent.
#include "engine/expected_chain.hpp"

#include "engine/signer.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/issued.hpp"
#include "support/must.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace signctl;          // NOLINT(google-build-using-namespace): test
using namespace signctl::test;    // NOLINT(google-build-using-namespace): test
using namespace signctl::engine;  // NOLINT(google-build-using-namespace): test

namespace {

const crypto::KeyBundle& root() {
  static const crypto::KeyBundle made = issue(ca_named("Root"));
  return made;
}

const crypto::KeyBundle& middle() {
  static const crypto::KeyBundle made = issue(ca_named("Middle"), &root());
  return made;
}

const crypto::KeyBundle& signer() {
  static const crypto::KeyBundle made = issue(leaf_for("codeSigning"), &middle());
  return made;
}

Gate gate_of(const std::vector<crypto::Certificate>& anchors) {
  Gate gate;
  gate.store = anchors_of(anchors);
  return gate;
}

std::vector<Finding> objections(const std::vector<const crypto::KeyBundle*>& chain,
                                const Gate& gate) {
  std::vector<Bytes> der;
  for (const crypto::KeyBundle* one : chain) {
    der.push_back(one->chain.front().der());
  }
  return must(object_to_signer(der, gate, issued_day(0)));
}

/// Of a service that says with its first signature which certificate it has.
class SilentSession final : public SigningSession {
 public:
  explicit SilentSession(std::shared_ptr<std::atomic<bool>> has_signed)
      : has_signed_(std::move(has_signed)) {}

  Result<std::vector<Bytes>> expected_chain() override {
    return *has_signed_ ? std::vector<Bytes>{signer().chain.front().der()} : std::vector<Bytes>{};
  }
  Result<SignedDigest> sign(ByteView digest, DigestAlg alg) override {
    SIGNCTL_TRY(Bytes value, signer().key.sign_digest(digest, alg), "");
    *has_signed_ = true;
    return SignedDigest{std::move(value), {signer().chain.front().der()}};
  }
  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> one = std::make_unique<SilentSession>(has_signed_);
    return one;
  }

 private:
  std::shared_ptr<std::atomic<bool>> has_signed_;
};

}  // namespace

TEST_CASE("a chain that leads to an anchor is not objected to", "[unit][engine]") {
  CHECK(objections({&signer(), &middle()}, gate_of(root().chain)).empty());
  CHECK(objections({&signer()}, gate_of({middle().chain.front()})).empty());
}

TEST_CASE("a certificate for lifetime signing is objected to before a signature is spent",
          "[unit][engine]") {
  const auto lifetime = issue(leaf_for("codeSigning,1.3.6.1.4.1.311.10.3.13"), &middle());
  Gate gate = gate_of(root().chain);
  CHECK(ids_of(objections({&lifetime, &middle()}, gate)) == "later:certificate-expired");
  gate.rules.profile = Profile::compat_windows;
  CHECK(objections({&lifetime, &middle()}, gate).empty());
}

TEST_CASE("a chain that the gate cannot trust is objected to, with a hint", "[unit][engine]") {
  const auto incomplete = objections({&signer()}, gate_of(root().chain));
  CHECK(ids_of(incomplete) == "chain-incomplete");
  REQUIRE(incomplete.size() == 1);
  CHECK(incomplete[0].hint.find("the setting chain") != std::string::npos);

  const auto unknown = objections({&signer(), &middle(), &root()}, gate_of({}));
  CHECK(ids_of(unknown) == "chain-untrusted");
  REQUIRE(unknown.size() == 1);
  CHECK(unknown[0].hint.find("--trust-cert") != std::string::npos);

  Gate lenient = gate_of({});
  lenient.rules.profile = Profile::compat_windows;
  CHECK(ids_of(objections({&signer()}, lenient)) == "chain-incomplete");
}

TEST_CASE("a self-signed signer is objected to unless it is trusted itself", "[unit][engine]") {
  const crypto::KeyBundle own = issue(leaf_for("codeSigning", "Own"));
  Gate gate = gate_of({});
  const auto found = objections({&own}, gate);
  CHECK(ids_of(found) == "chain-untrusted");
  REQUIRE(found.size() == 1);
  CHECK(found[0].hint.find("--dev") != std::string::npos);

  gate.trust_signer = true;
  CHECK(objections({&own}, gate).empty());
  CHECK(ids_of(objections({&signer(), &middle(), &root()}, gate)) == "chain-untrusted");
}

TEST_CASE("a CA that is none, a wrong purpose and another identity are objected to",
          "[unit][engine]") {
  const crypto::KeyBundle below = issue(leaf_for("codeSigning", "Below"), &signer());
  CHECK(ids_of(objections({&below, &signer(), &middle()}, gate_of(root().chain)))
            .find("basic-constraints") != std::string::npos);

  const crypto::KeyBundle server = issue(leaf_for("serverAuth"), &root());
  CHECK(ids_of(objections({&server}, gate_of(root().chain))).find("eku") != std::string::npos);

  Gate gate = gate_of(root().chain);
  gate.rules.identity.subject = {{"CN", "Somebody Else"}};
  CHECK(ids_of(objections({&signer(), &middle()}, gate)) == "identity-mismatch");
}

TEST_CASE("a rehearsal certificate is objected to although its root is trusted", "[unit][engine]") {
  auto wanted = leaf_for("codeSigning", "Rehearsal");
  wanted.rehearsal = true;
  const crypto::KeyBundle marked = issue(wanted, &root());
  Gate gate = gate_of(root().chain);

  const auto found = objections({&marked}, gate);
  CHECK(ids_of(found) == "rehearsal");
  REQUIRE(found.size() == 1);
  CHECK(found[0].hint.find("--dev") != std::string::npos);

  gate.rules.rehearsal = RehearsalRule::accept;
  CHECK(objections({&marked}, gate).empty());
}

TEST_CASE("where the chain comes with the first signature, the others wait for that",
          "[unit][engine]") {
  FakeWorld fake;
  SignerOptions options;
  options.ceiling = 8;
  const auto has_signed = std::make_shared<std::atomic<bool>>(false);
  options.open = [&]() -> Result<std::unique_ptr<SigningSession>> {
    std::unique_ptr<SigningSession> one = std::make_unique<SilentSession>(has_signed);
    return one;
  };
  Signer shared(options, fake.clock, {}, Pace::Time::max());
  std::atomic<int> unknowing{0};
  std::atomic<int> wrong{0};

  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto session = shared.session();
      const auto first = session->expected_chain();
      // Who goes ahead and asks again does not wait for itself.
      const auto second = session->expected_chain();
      const auto made = session->sign(Bytes(32, 0x42), DigestAlg::sha256);
      wrong += first && second && made && first->empty() == second->empty() ? 0 : 1;
      unknowing += first && first->empty() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }

  CHECK(wrong == 0);
  CHECK(unknowing == 1);
}

TEST_CASE("who goes ahead and does not sign lets the next one go", "[unit][engine]") {
  FakeWorld fake;
  SignerOptions options;
  const auto has_signed = std::make_shared<std::atomic<bool>>(false);
  options.open = [&]() -> Result<std::unique_ptr<SigningSession>> {
    std::unique_ptr<SigningSession> one = std::make_unique<SilentSession>(has_signed);
    return one;
  };
  Signer shared(options, fake.clock, {}, Pace::Time::max());
  CHECK(must(shared.session()->expected_chain()).empty());
  CHECK(must(shared.session()->expected_chain()).empty());
}

namespace {

/// Its answers are always lost.
class LossySession final : public SigningSession {
 public:
  explicit LossySession(int& asked) : asked_(asked) {}
  Result<std::vector<Bytes>> expected_chain() override {
    return std::vector<Bytes>{signer().chain.front().der()};
  }
  Result<SignedDigest> sign(ByteView /*digest*/, DigestAlg /*alg*/) override {
    ++asked_;
    Error lost{ErrorKind::network, "cut"};
    lost.may_be_done = true;
    return lost;
  }
  Result<std::unique_ptr<SigningSession>> another() override {
    std::unique_ptr<SigningSession> one = std::make_unique<LossySession>(asked_);
    return one;
  }

 private:
  int& asked_;
};

int times_asked(bool billable) {
  FakeWorld fake;
  int asked = 0;
  SignerOptions options;
  options.billable = billable;
  options.open = [&]() -> Result<std::unique_ptr<SigningSession>> {
    std::unique_ptr<SigningSession> one = std::make_unique<LossySession>(asked);
    return one;
  };
  Signer shared(options, fake.clock, {}, Pace::Time::max());
  CHECK_FALSE(shared.session()->sign(Bytes(32, 0x42), DigestAlg::sha256));
  return asked;
}

}  // namespace

TEST_CASE("a signature that costs is not asked for again when its answer was lost",
          "[unit][engine]") {
  CHECK(times_asked(true) == 1);
  CHECK(times_asked(false) == 6);
}
