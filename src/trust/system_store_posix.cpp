// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/path.hpp"
#include "crypto/handles.hpp"
#include "trust/bundle.hpp"
#include "trust/stores.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <openssl/x509.h>

namespace signctl::trust {

namespace {

namespace fs = std::filesystem;
using NameHandle = crypto::Handle<X509_NAME, X509_NAME_free>;

// Where distributions keep their lists. The first is meant for signed objects; the others are for
// TLS servers, which is said of every anchor that comes from them.
constexpr std::string_view kObjectSigningBundle =
    "/etc/pki/ca-trust/extracted/pem/objsign-ca-bundle.pem";
constexpr std::array<std::string_view, 4> kTlsBundles{
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem"};
constexpr std::string_view kTlsFolder = "/etc/ssl/certs";
constexpr std::array<std::string_view, 4> kDotnetRoots{
    "/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet", "/usr/local/share/dotnet"};
constexpr int kMaxHashed = 32;

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(to_path(path), error);
}

/// OpenSSL's file name for a subject in a hashed folder: eight hex digits.
std::optional<std::string> hashed_name(ByteView name_der) {
  const unsigned char* at = name_der.data();
  const NameHandle name(d2i_X509_NAME(nullptr, &at, static_cast<long>(name_der.size())));
  if (!name) {
    return std::nullopt;
  }
  int known = 0;
  const unsigned long hash = X509_NAME_hash_ex(name.get(), nullptr, nullptr, &known);
  std::array<char, 16> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%08lx", hash & 0xFFFFFFFFUL));
  return known == 1 ? std::optional<std::string>(text.data()) : std::nullopt;
}

/// One place to look, on demand.
struct Place {
  enum class Kind { bundle, hashed_folder };
  Kind kind{Kind::bundle};
  std::string path;
  std::string source;
  bool tls_list{false};
  Serves purposes{Serves::both};
};

class SystemStore final : public TrustStore {
 public:
  explicit SystemStore(std::vector<Place> places) : places_(std::move(places)) {}

  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    for (const Place& place : places_) {
      if (!serves(place.purposes, purpose)) {
        continue;
      }
      SIGNCTL_CHECK(place.kind == Place::Kind::bundle
                        ? from_bundle(place, name_der, purpose, anchors)
                        : from_folder(place, name_der, purpose, anchors),
                    "looking for trust anchors in " + place.path);
    }
    return anchors;
  }

  std::string describe() const override {
    std::string text;
    for (const Place& place : places_) {
      text += (text.empty() ? "" : "; ") + place.source;
    }
    return text.empty() ? "no trust anchors found on this machine" : text;
  }

 private:
  /// The list is read and decoded once, at the first question that gets so far; and searched once
  /// for each name.
  Result<void> from_bundle(const Place& place,
                           ByteView name_der,
                           TrustPurpose purpose,
                           std::vector<Anchor>& anchors) const {
    const std::lock_guard lock(mutex_);
    auto known = blocks_.find(place.path);
    if (known == blocks_.end()) {
      SIGNCTL_TRY(auto blocks, read_pem_blocks(place.path), "");
      known = blocks_.emplace(place.path, std::move(blocks)).first;
    }
    const std::pair question(place.path, Bytes(name_der.begin(), name_der.end()));
    auto answer = named_.find(question);
    if (answer == named_.end()) {
      Bundle bundle = select_named(known->second, name_der);
      bundle.source = place.source;
      bundle.tls_list = place.tls_list;
      answer = named_.emplace(question, std::move(bundle)).first;
    }
    answer->second.append_named(name_der, purpose, anchors);
    return ok();
  }

  /// Names in the folder are SUBJECT-HASH.0, .1 and so on.
  static Result<void> from_folder(const Place& place,
                                  ByteView name_der,
                                  TrustPurpose purpose,
                                  std::vector<Anchor>& anchors) {
    const auto name = hashed_name(name_der);
    for (int i = 0; name && i < kMaxHashed; ++i) {
      const std::string path = place.path + "/" + *name + "." + std::to_string(i);
      if (!is_file(path)) {
        break;
      }
      SIGNCTL_TRY(Bundle bundle, read_bundle(path, place.source), "");
      bundle.tls_list = place.tls_list;
      bundle.append_named(name_der, purpose, anchors);
    }
    return ok();
  }

  std::vector<Place> places_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::vector<Bytes>> blocks_;  ///< Undecoded DER, by path.
  /// By path and subject name. Few: chains end at few names.
  mutable std::map<std::pair<std::string, Bytes>, Bundle> named_;
};

void add_environment_places(const Environment& environment, std::vector<Place>& places) {
  if (const auto file = environment.get("SSL_CERT_FILE")) {
    places.push_back({Place::Kind::bundle, *file, "SSL_CERT_FILE " + *file});
  }
  if (const auto folders = environment.get("SSL_CERT_DIR")) {
    for (std::size_t start = 0; start <= folders->size();) {
      const std::size_t colon = std::min(folders->find(':', start), folders->size());
      const std::string folder = folders->substr(start, colon - start);
      if (!folder.empty()) {
        places.push_back({Place::Kind::hashed_folder, folder, "SSL_CERT_DIR " + folder});
      }
      start = colon + 1;
    }
  }
}

/// The numbers in a version folder's name, for comparing: 10.0.100 is newer than 9.0.305. Empty for
/// folders that are no version.
std::vector<int> version_numbers(const std::string& name) {
  std::vector<int> numbers;
  bool in_number = false;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && numbers.empty()) {
      return {};
    }
    if (digit && !in_number) {
      numbers.push_back(0);
    }
    if (digit && numbers.back() < 100'000'000) {
      numbers.back() = numbers.back() * 10 + (c - '0');
    }
    in_number = digit;
  }
  return numbers;
}

/// The lists of the newest SDK below `root` that has any; empty if none.
std::string newest_trusted_roots(const std::string& root) {
  std::vector<int> newest;
  std::string lists;
  std::error_code error;
  for (fs::directory_iterator entry(to_path(root + "/sdk"), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string folder = to_utf8(entry->path()) + "/trustedroots/";
    const auto version = version_numbers(to_utf8(entry->path().filename()));
    if (version > newest &&
        (is_file(folder + "codesignctl.pem") || is_file(folder + "timestampctl.pem"))) {
      newest = version;
      lists = folder;
    }
  }
  return lists;
}

/// The .NET SDK's lists are Microsoft's own, separate for the two purposes.
void add_dotnet_places(const Environment& environment, std::vector<Place>& places) {
  std::vector<std::string> roots(kDotnetRoots.begin(), kDotnetRoots.end());
  if (const auto root = environment.get("DOTNET_ROOT")) {
    roots.insert(roots.begin(), *root);
  }
  for (const std::string& root : roots) {
    const std::string lists = newest_trusted_roots(root);
    if (lists.empty()) {
      continue;
    }
    const std::string label = "the .NET SDK's trusted roots ";
    if (is_file(lists + "codesignctl.pem")) {
      places.push_back({Place::Kind::bundle,
                        lists + "codesignctl.pem",
                        label + lists + "codesignctl.pem",
                        false,
                        Serves::code_signing});
    }
    if (is_file(lists + "timestampctl.pem")) {
      places.push_back({Place::Kind::bundle,
                        lists + "timestampctl.pem",
                        label + lists + "timestampctl.pem",
                        false,
                        Serves::time_stamping});
    }
    return;
  }
}

void add_tls_places(std::vector<Place>& places) {
  for (const std::string_view bundle : kTlsBundles) {
    const std::string path(bundle);
    if (!is_file(path)) {
      continue;
    }
    // Debian keeps the same list as hashed links, which spares reading all of it.
    std::error_code error;
    const bool hashed = bundle == kTlsBundles.front() &&
                        fs::is_directory(to_path(kTlsFolder), error) &&
                        is_file(std::string(kTlsFolder) + "/ca-certificates.crt") &&
                        fs::exists(to_path(std::string(kTlsFolder) + "/ISRG_Root_X1.pem"), error);
    places.push_back({hashed ? Place::Kind::hashed_folder : Place::Kind::bundle,
                      hashed ? std::string(kTlsFolder) : path,
                      "the system's TLS list " + path,
                      true});
    return;
  }
}

}  // namespace

std::shared_ptr<const TrustStore> system_store(const Environment& environment) {
  std::vector<Place> places;
  add_environment_places(environment, places);
  const bool chosen = !places.empty();
  add_dotnet_places(environment, places);
  if (is_file(std::string(kObjectSigningBundle))) {
    const std::string path(kObjectSigningBundle);
    places.push_back({Place::Kind::bundle, path, "the system's object signing list " + path});
  }
  if (!chosen) {
    add_tls_places(places);
  }
  return std::make_shared<SystemStore>(std::move(places));
}

}  // namespace signctl::trust
