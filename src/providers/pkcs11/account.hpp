// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "providers/pkcs11/login.hpp"
#include "providers/pkcs11/objects.hpp"
#include "providers/pkcs11/settings.hpp"
#include "providers/pkcs11/token.hpp"

#include <signctl/provider.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace signctl::providers::pkcs11 {

/// The chain of a leaf, from the token's certificates and the file's: leaf first, root left out.
[[nodiscard]] std::vector<crypto::Certificate> chain_above(const crypto::Certificate& leaf,
                                                           const std::vector<Object>& objects,
                                                           const Options& options);

/// One login to one token and a key in it, shared by the sessions of a run.
class Account {
 public:
  static Result<std::shared_ptr<Account>> open(const ProviderSettings& settings, World world);

  Account(Options options, World world, OpenToken open, Choice choice);

  [[nodiscard]] const std::vector<Bytes>& chain() const { return chain_; }

  /// A session's own way to the token; connected when first used, and after the driver was started
  /// anew.
  struct Lane {
    std::shared_ptr<Driver> driver;
    std::unique_ptr<Link> link;
  };

  /// A signature, checked. When a session, the token or the driver was lost, that is mended once
  /// for all sessions, and the signature tried again.
  Result<Bytes> sign(Lane& lane, ByteView digest, DigestAlg alg);

 private:
  /// What may help after a failure.
  enum class Remedy { none, new_session, token_back, new_driver };
  /// What a signature needs, as it was at one moment.
  struct View {
    std::shared_ptr<Driver> driver;
    Slot slot;
    Object key;
    unsigned epoch{};
  };
  struct Attempt {
    Result<Bytes> signature;
    Remedy remedy{Remedy::none};
  };

  std::shared_ptr<const View> view();
  /// Makes what is known now the next signatures' view; with mutex_ held, or alone.
  void publish();
  Attempt try_once(Lane& lane, const View& now, const Request& wanted);
  Result<Reply> ask_with_login(Lane& lane, const View& now, Request request);
  Result<Bytes> sign_mending(Lane& lane, const Request& wanted);
  Request request_for(ByteView digest, DigestAlg alg) const;
  [[nodiscard]] Error explain(const Reply& reply);

  Result<void> mend(unsigned epoch, Remedy remedy);

  // Each with mutex_ held.
  Result<void> mend_with(Remedy remedy);
  Result<void> start_anew();
  Result<void> wait_for_token();
  Result<void> find_key_again();

  const Options options_;
  World world_;
  crypto::Certificate leaf_;
  std::vector<Bytes> chain_;
  std::mutex mutex_;
  std::shared_ptr<const View> view_;
  OpenToken open_;
  Object key_;
  bool logged_in_{false};
  unsigned epoch_{0};  ///< Changes whenever something was mended.
  int restarts_left_{1};
  std::optional<Error> lost_;  ///< The token has gone for good, as far as this run can tell.
};

}  // namespace signctl::providers::pkcs11
