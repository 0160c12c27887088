// SPDX-License-Identifier: Apache-2.0
#include "cli/signer_check.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "engine/complete_chain.hpp"
#include "engine/expected_chain.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace signctl::cli {
namespace {

/// Of a file that does not exist: what is signed for the test belongs to none.
class NoFile final : public FileFacts {
 public:
  explicit NoFile(Bytes digest) : digest_(std::move(digest)) {}
  [[nodiscard]] Result<Bytes> sha256() const override {
    return crypto::hash(DigestAlg::sha256, {});
  }
  [[nodiscard]] const Bytes& content_digest() const override { return digest_; }

 private:
  Bytes digest_;
};

using Session = std::unique_ptr<SigningSession>;

/// The session that signing would have, on the login that was examined.
Result<Session> session_for(const SignerUse& use, Context& context, Session examined) {
  if (!use.config.sign.complete_chain) {
    return examined;
  }
  return engine::complete_chains([&examined]() -> Result<Session> { return std::move(examined); },
                                 context.world())();
}

/// One signature over random octets; the session checks it, as it does every signature.
Result<std::string> sign_once(SigningSession& session, DigestAlg alg) {
  const Bytes digest = crypto::random_bytes(digest_size(alg));
  const NoFile file(digest);
  SIGNCTL_CHECK(session.about_to_sign(file), "announcing the test");
  SIGNCTL_TRY(const SignedDigest made, session.sign(digest, alg), "signing a test");
  SIGNCTL_TRY(const auto leaf,
              crypto::Certificate::parse(made.chain.front()),
              "reading the certificate of the test");
  return leaf.info().subject;
}

/// What the gate will say of the chain, where that is known without signing. A signer that is not
/// signed with by default may be meant for another gate: of it there is a warning.
Result<std::vector<Finding>> gate_findings(SigningSession& session,
                                           const SignerUse& use,
                                           Context& context) {
  SIGNCTL_TRY(const auto chain, session.expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return std::vector<Finding>{};
  }
  SIGNCTL_TRY(
      auto findings, engine::object_to_signer(chain, *use.gate, context.world().clock.now()), "");
  for (Finding& finding : findings) {
    finding.message = "the gate will refuse its signatures (" + finding.id +
                      "): " + finding.subject + ": " + finding.message;
    finding.kind = ErrorKind::gate;
    finding.severity = use.by_default ? Severity::error : Severity::warning;
  }
  return findings;
}

/// Adds what the gate will say; true when it will be nothing.
bool passes_gate(Diagnosis& diagnosis,
                 const std::string& what,
                 SigningSession& session,
                 const SignerUse& use,
                 Context& context) {
  if (use.gate == nullptr) {
    return true;
  }
  const auto findings = gate_findings(session, use, context);
  if (!findings) {
    diagnosis.add(what, findings.error());
    return false;
  }
  for (const Finding& finding : *findings) {
    diagnosis.add(what, finding);
  }
  return findings->empty();
}

/// Adds why the key does not sign the digest that is wanted; true when it does. A signer that is
/// not signed with by default may be meant for another digest: of it there is a warning.
bool signs_digest(Diagnosis& diagnosis,
                  const std::string& what,
                  SigningSession& session,
                  const SignerUse& use) {
  const auto checked = session.check_digest(use.digest);
  if (!checked && use.by_default) {
    diagnosis.add(what, checked.error());
  } else if (!checked) {
    diagnosis.warn(what, checked.error().message + "; " + checked.error().hint);
  }
  return checked.has_value();
}

/// A secret's references, and the first that there is something behind.
struct Rotation {
  std::string key;
  std::vector<SecretRef> references;
  std::size_t used{};
};

std::vector<Rotation> rotations_of(const config::Signer& signer, const Environment& environment) {
  std::vector<Rotation> rotations;
  for (const auto& [key, references] : signer.secrets) {
    const auto used =
        std::find_if(references.begin(), references.end(), [&](const SecretRef& reference) {
          return reference.resolve(environment).has_value();
        });
    if (references.size() > 1 && used != references.end()) {
      rotations.push_back({key, references, static_cast<std::size_t>(used - references.begin())});
    }
  }
  return rotations;
}

/// "env:B, env:C"
std::string described(const std::vector<SecretRef>& references,
                      std::size_t begin,
                      std::size_t end) {
  std::vector<std::string> names;
  for (std::size_t i = begin; i < end; ++i) {
    names.push_back(references[i].describe());
  }
  return join(names, ", ");
}

/// Whether something cannot be told beforehand, who may sign for one, and no signature was tried.
bool is_untried(const std::vector<Finding>& findings, const SignerUse& use) {
  return !use.sign_test && std::ranges::any_of(findings, [](const Finding& finding) {
    return finding.id.ends_with("-untried");
  });
}

/// What is known of a signer's credentials.
enum class Standing { troubled, untried, proven };

/// Which of two overlapping credentials may go.
void say_rotation(Diagnosis& diagnosis,
                  const std::string& what,
                  const Rotation& rotation,
                  Standing standing) {
  const std::string about = what + ", " + rotation.key;
  const std::string used = rotation.references[rotation.used].describe();
  const std::string later =
      described(rotation.references, rotation.used + 1, rotation.references.size());
  if (standing == Standing::troubled) {
    diagnosis.warn(about,
                   used + " is used, and not all is well with it" +
                       (later.empty() ? "" : "; do not revoke " + later + " yet"));
  } else if (rotation.used > 0) {
    diagnosis.warn(about,
                   described(rotation.references, 0, rotation.used) + ": there is nothing, so " +
                       used + " is used; do not revoke it");
  } else if (standing == Standing::untried) {
    diagnosis.good(about,
                   used +
                       " is used and has passed the checks above; see with --sign-test that it "
                       "may sign before the one in " +
                       later + " is revoked");
  } else {
    diagnosis.good(about,
                   used + " is used and has passed the checks above; the one in " + later +
                       " is not used any more and may be revoked");
  }
}

/// How many signatures are left, where the config knows.
void say_quota(Diagnosis& diagnosis,
               const std::string& what,
               const SignerChoice& choice,
               const config::Config& config) {
  const auto left = quota_left(choice, config);
  if (!left) {
    return;
  }
  const std::string text = "signatures left by limits.quota: " + std::to_string(*left);
  if (*left > 0) {
    diagnosis.good(what, text);
  } else {
    diagnosis.warn(what, text + "; what it would sign is refused");
  }
}

/// What a signer was found to be.
struct Health {
  bool good{false};    ///< It can sign.
  bool passes{false};  ///< And what is wanted, and the gate will take it.
};

/// What the session shows: whether its key signs the digest, whether the gate will take its chain,
/// and one signature if wished for.
Health check_session(Diagnosis& diagnosis,
                     const std::string& what,
                     const Result<Session>& session,
                     const SignerUse& use,
                     Context& context) {
  if (!session) {
    diagnosis.add(what, session.error());
    return {};
  }
  const bool signs = signs_digest(diagnosis, what, **session, use);
  Health health{true, passes_gate(diagnosis, what, **session, use, context) && signs};
  if (!use.sign_test || !signs) {
    return health;
  }
  const auto subject = sign_once(**session, use.digest);
  health.good = subject.has_value();
  if (subject) {
    diagnosis.good(what, "has made one signature, as " + *subject);
  } else {
    diagnosis.add(what, subject.error());
  }
  return health;
}

}  // namespace

Session check_signer(Diagnosis& diagnosis,
                     const SignerChoice& choice,
                     const SignerUse& use,
                     Context& context) {
  const std::string what = "signer " + choice.signer.name;
  const auto settings = config::resolve(choice.signer, choice.folder, context.environment());
  if (!settings) {
    diagnosis.add(what, settings.error());
    return nullptr;
  }
  Examination examination = choice.provider->examine(*settings, context.world());
  Health health{true, true};
  for (const Finding& finding : examination.findings) {
    health.good = health.good && finding.severity != Severity::error;
    diagnosis.add(what, finding);
  }
  Result<Session> session = std::move(examination.session);
  if (health.good) {
    session = session_for(use, context, *std::move(session));
    health = check_session(diagnosis, what, session, use, context);
  }
  const bool untried = is_untried(examination.findings, use);
  if (health.good && health.passes) {
    diagnosis.good(what,
                   std::string(choice.provider->title()) +
                       (untried ? " is ready, but for what only a signature shows; --sign-test "
                                  "makes one"
                                : " is ready to sign"));
  }
  say_quota(diagnosis, what, choice, use.config);
  for (const Rotation& rotation : rotations_of(choice.signer, context.environment())) {
    const Standing proven = untried ? Standing::untried : Standing::proven;
    say_rotation(diagnosis, what, rotation, health.good ? proven : Standing::troubled);
  }
  return session ? *std::move(session) : nullptr;
}

}  // namespace signctl::cli
