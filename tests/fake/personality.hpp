// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/pki.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace signctl::fake {

using Json = nlohmann::json;

/// A request to one personality.
struct Request {
  std::string method;
  std::string path;                            ///< Behind the personality's prefix: "/sign".
  std::map<std::string, std::string> query;    ///< Decoded.
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
  std::optional<crypto::Certificate> client;  ///< What the client showed in the TLS handshake.
  std::string host;                           ///< "127.0.0.1:4711"
  std::string base_url;                       ///< "https://127.0.0.1:4711/aas"

  [[nodiscard]] std::string header(const std::string& name) const;
};

struct Response {
  int status{200};
  std::map<std::string, std::string> headers{};
  std::string body{};
};

[[nodiscard]] Response json_response(int status, const Json& body);
/// A JSON error of a shape that a service has, `{"error": text}` unless the personality has its
/// own.
[[nodiscard]] Response text_response(int status, const std::string& text);

/// What goes wrong. Statuses, bodies and cuts happen to matching requests; lies happen to the next
/// signature.
enum class FaultKind {
  status,            ///< Answers `status`, `headers` and `body`.
  close,             ///< Closes the connection without an answer (TLS only).
  cut,               ///< Half of the real answer, then the connection is closed.
  delay,             ///< Waits `delay`, then the real answer.
  malformed_json,    ///< The real answer without its last bytes, complete as HTTP.
  html,              ///< A gateway's page with status 200.
  huge,              ///< 64 MB.
  wrong_signature,   ///< Signs another digest.
  other_key,         ///< Signs with another key than that of the certificate.
  other_certificate  ///< Shows another certificate than that of the key.
};
[[nodiscard]] std::optional<FaultKind> find_fault(std::string_view name);

/// Whether a fault is in what is answered and not in how: it waits for a signature, no request.
[[nodiscard]] constexpr bool is_lie(FaultKind kind) {
  return kind == FaultKind::wrong_signature || kind == FaultKind::other_key ||
         kind == FaultKind::other_certificate;
}

struct Fault {
  FaultKind kind{FaultKind::status};
  std::string match{};  ///< Part of "POST /aas/sign"; empty matches everything.
  int times{1};         ///< How often it happens; -1 for always.
  int status{503};
  std::map<std::string, std::string> headers{};
  std::string body{};
  std::chrono::milliseconds delay{0};
};

/// One request that was served, for tests that count and look. Header values are not kept.
struct Served {
  std::string method;
  std::string path;  ///< With the personality's prefix, without the query.
  int status{};
};

/// What the personalities of one server share: certificates, the time, lies to tell.
class Lab {
 public:
  using Now = std::function<TimePoint()>;

  Lab(Marking marking, Now now);

  [[nodiscard]] Pki& pki() { return pki_; }
  /// The services' clock: the real one plus an offset.
  [[nodiscard]] TimePoint now() const;
  void set_clock_offset(std::chrono::seconds offset);

  void add(Fault fault);
  void clear_faults();
  /// Takes the first fault of one of `kinds` that matches "METHOD /path"; it happens once less.
  std::optional<Fault> take(std::span<const FaultKind> kinds, const std::string& request);

  /// What a service's key makes of a digest: PKCS#1 v1.5 or DER Ecdsa-Sig-Value, lies included.
  /// Empty when the digest has not the size of `alg`.
  Bytes sign(const crypto::KeyBundle& signer, ByteView digest, DigestAlg alg);
  /// The signer's chain, or another's when a lie is pending.
  const crypto::KeyBundle& shown(std::string_view kind);
  /// The signer in force; rotate() makes it another.
  const crypto::KeyBundle& signer(std::string_view kind);
  void rotate();

  /// Access tokens that one personality gives out and another takes, with what they say.
  void grant(const std::string& token, Json claims);
  [[nodiscard]] std::optional<Json> granted(const std::string& token) const;

  void record(Served served);
  [[nodiscard]] std::vector<Served> served() const;
  /// How many requests to `part` of "METHOD /path" were served.
  [[nodiscard]] std::size_t count(std::string_view part) const;
  /// What a service's own audit log would tell, in order.
  void note(Json entry);
  [[nodiscard]] std::vector<Json> notes() const;
  /// Forgets requests and notes.
  void forget();

 private:
  mutable std::recursive_mutex mutex_;
  Now now_;
  std::chrono::seconds offset_{0};
  Pki pki_;
  int generation_{0};
  std::vector<Fault> faults_;
  std::vector<Served> served_;
  std::vector<Json> notes_;
  std::map<std::string, Json> granted_;
};

/// One service, strict about everything the real one is strict about. Mounted below "/NAME".
class Personality {
 public:
  virtual ~Personality() = default;

  /// Called by one thread at a time.
  virtual Response handle(const Request& request) = 0;

  /// What a client needs: settings of the provider, as they would stand in signctl.yaml, secrets in
  /// the clear. `base_url` as in Request.
  [[nodiscard]] virtual Json settings(const std::string& base_url) const = 0;
};

/// A row of the table in builtin.cpp.
struct PersonalityRow {
  std::string_view name;      ///< Also its path prefix.
  std::string_view provider;  ///< signctl's provider that talks to it; empty for login services.
  std::unique_ptr<Personality> (*make)(Lab& lab);
};
[[nodiscard]] std::span<const PersonalityRow> personalities();

}  // namespace signctl::fake
