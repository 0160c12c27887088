// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/text.hpp"
#include "providers/common/material.hpp"
#include "providers/common/rest.hpp"

#include <utility>

namespace signctl::providers {

namespace {

constexpr std::size_t kMaxKeyFile = 1U << 20U;

Result<Bytes> client_file(const ProviderSettings& settings, std::string_view base64) {
  const std::string path = settings.get("client_certificate");
  if (!path.empty()) {
    return read_file(path, kMaxKeyFile);
  }
  auto bytes = from_any_base64(base64);
  if (!bytes || bytes->empty()) {
    return Error{ErrorKind::auth,
                 "the client certificate is not base64 of a PKCS#12 file",
                 "encode it with base64 -w0 FILE.p12"};
  }
  return std::move(*bytes);
}

}  // namespace

Result<ClientFile> load_client_identity(const ProviderSettings& settings, std::string_view base64) {
  const std::string path = settings.get("client_certificate");
  if (path.empty() && base64.empty()) {
    return ClientFile{};
  }
  const std::string step =
      "reading the client certificate" + (path.empty() ? "" : " " + printable(path));
  SIGNCTL_TRY(const Bytes bytes, client_file(settings, base64), step);
  const auto password = settings.secrets.find("client_certificate_password");
  auto read =
      crypto::read_pkcs12(bytes, password == settings.secrets.end() ? Secret() : password->second);
  if (!read && read.error().kind == ErrorKind::auth && read.error().hint.empty()) {
    read.error().hint = "set client_certificate_password to the password of that file";
  }
  SIGNCTL_TRY(auto bundle, std::move(read), step);
  ClientFile file;
  auto identity = std::make_shared<ClientIdentity>();
  identity->certificates_pem = crypto::to_pem(bundle.chain);
  SIGNCTL_TRY(identity->key_pem, crypto::to_pem(bundle.key), step);
  file.identity = std::move(identity);
  file.chain = std::move(bundle.chain);
  return file;
}

}  // namespace signctl::providers
