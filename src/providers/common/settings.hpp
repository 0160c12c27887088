// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>

// Settings that every backend behind a URL has.
namespace signctl::providers {

inline constexpr SettingSpec kCaFile{
    .key = "ca_file",
    .kind = SettingKind::path,
    .help = "CA certificates (PEM) to trust for TLS besides the system's",
    .example = "corporate-ca.pem",
};

inline constexpr SettingSpec kMaxParallel{
    .key = "max_parallel",
    .kind = SettingKind::number,
    .help = "Most signatures to make at the same time",
    .example = "4",
};

inline constexpr SettingSpec kTimeout{
    .key = "timeout",
    .kind = SettingKind::text,
    .help = "How long one call may take",
    .example = "60s",
};

inline constexpr SettingSpec kChain{
    .key = "chain",
    .kind = SettingKind::path,
    .help = "Signing certificate and its issuers (PEM, DER or PKCS#7), where the service has none",
    .example = "chain.pem",
};

}  // namespace signctl::providers
