// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace signctl {

/// What a chain is to be trusted for. The two have separate anchors.
enum class TrustPurpose { code_signing, time_stamping };

/// A certificate that ends a chain, and why it is trusted.
struct Anchor {
  Bytes certificate;     ///< DER. Equality is over all of it, never over name or key alone.
  std::string source;    ///< For people: "--trust-cert ca.pem", "system bundle /etc/ssl/certs/...".
  bool tls_list{false};  ///< The source is a list made for TLS, not for code signing.
};

/// Where trust ends.
class TrustStore {
 public:
  virtual ~TrustStore() = default;

  /// Anchors whose subject equals `name_der` (DER of the Name, compared byte for byte).
  virtual Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                                    TrustPurpose purpose) const = 0;

  /// One line for people: what this store is and how many anchors it has, if that is known.
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace signctl
