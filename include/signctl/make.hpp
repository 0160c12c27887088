// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <vector>

/// Makes the real things that the engine is handed. Tests and embedders may hand it their own.
namespace signctl {

/// The machine's clock.
[[nodiscard]] std::unique_ptr<Clock> make_system_clock();

/// The process environment.
[[nodiscard]] std::unique_ptr<Environment> make_process_environment();

/// An HTTP client over libcurl, which is loaded at the first request. Borrows `environment`.
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(const Environment& environment);

/// Trust anchors: the machine's own when `use_system`, and those in `files` (PEM, DER or PKCS #7,
/// UTF-8 paths).
///
/// @errors `input` or `config` for a file that is missing or holds no certificate.
Result<std::shared_ptr<const TrustStore>> make_trust_store(bool use_system,
                                                           const std::vector<std::string>& files,
                                                           const Environment& environment);

/// An RFC 3161 client that tries `servers` (URLs) in order, with the default retry rules. Borrows
/// what is in `world`.
Result<std::unique_ptr<Timestamper>> make_timestamper(std::vector<std::string> servers,
                                                      World world);

}  // namespace signctl
