// SPDX-License-Identifier: Apache-2.0
// How many signatures a second a token makes, asked by bare C_Sign calls in this process, and
// through signctl's provider with its worker process, checks included. Usage:
//
//   signctl-bench-pkcs11 SIGNCTL MODULE TOKEN KEY SESSIONS SECONDS     PIN in variable TOKEN_PIN
//
// Prints our signatures a second, theirs, and the ratio: medians of nine rounds of SECONDS each.

#include "core/env.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"

#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/worker.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <stdexcept>
#include <thread>

namespace {

using namespace signctl;        // NOLINT(google-build-using-namespace): test
using namespace signctl::test;  // NOLINT(google-build-using-namespace): test
namespace ck = providers::pkcs11::ck;

struct Setup {
  std::string signctl;
  std::string module;
  std::string token;
  std::string key;
  std::string pin;
  int sessions;
  std::chrono::duration<double> seconds;
};

/// Signatures a second when each of `workers` is called in a thread of its own until time is up.
double rate(const Setup& setup, const std::vector<std::function<void()>>& workers) {
  std::atomic<long> made{0};
  std::vector<std::thread> threads;
  const auto begun = std::chrono::steady_clock::now();
  for (const auto& worker : workers) {
    threads.emplace_back([&] {
      while (std::chrono::steady_clock::now() - begun < setup.seconds) {
        worker();
        ++made;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begun;
  return static_cast<double>(made) / spent.count();
}

void good(ck::Rv rv, const char* call) {
  if (rv != ck::kOk) {
    throw std::runtime_error(std::string(call) + " returned " + std::to_string(rv));
  }
}

/// The module in this process, as pkcs11-tool and OpenSSL engines use it.
class Raw {
 public:
  explicit Raw(const Setup& setup) {
    void* library = ::dlopen(setup.module.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw std::runtime_error("cannot load " + setup.module);
    }
    const auto list = reinterpret_cast<ck::GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
    good(list(&functions_), "C_GetFunctionList");
    ck::InitializeArguments arguments{};
    arguments.flags = ck::kOsLockingOk;
    good(functions_->initialize(&arguments), "C_Initialize");
    find_slot(setup.token);
    login_ = open();
    std::string pin = setup.pin;
    good(functions_->login(
             login_, ck::kUser, reinterpret_cast<unsigned char*>(pin.data()), pin.size()),
         "C_Login");
    find_key(setup.key);
  }

  std::function<void()> worker() {
    return [this, session = open()] {
      ck::Mechanism mechanism{ck::kMechanismRsaPkcs, nullptr, 0};
      Bytes data(51, 0x30);  // As long as a DigestInfo with SHA-256.
      Bytes signature(1024);
      ck::Ulong size = signature.size();
      good(functions_->sign_init(session, &mechanism, key_), "C_SignInit");
      good(functions_->sign(session, data.data(), data.size(), signature.data(), &size), "C_Sign");
    };
  }

 private:
  ck::Session open() {
    ck::Session session{};
    good(functions_->open_session(slot_, ck::kSerialSession, nullptr, nullptr, &session),
         "C_OpenSession");
    return session;
  }

  void find_slot(const std::string& token) {
    std::vector<ck::Slot> slots(64);
    ck::Ulong count = slots.size();
    good(functions_->get_slot_list(1, slots.data(), &count), "C_GetSlotList");
    for (ck::Ulong i = 0; i < count; ++i) {
      ck::TokenInfo info{};
      if (functions_->get_token_info(slots[i], &info) == ck::kOk &&
          std::string(info.label.data(), info.label.size()).starts_with(token + " ")) {
        slot_ = slots[i];
      }
    }
  }

  void find_key(std::string label) {
    ck::Ulong kind = ck::kClassPrivateKey;
    std::array<ck::Attribute, 2> query{
        ck::Attribute{ck::kAttributeClass, &kind, sizeof kind},
        ck::Attribute{ck::kAttributeLabel, label.data(), label.size()},
    };
    ck::Ulong count = 0;
    good(functions_->find_objects_init(login_, query.data(), query.size()), "C_FindObjectsInit");
    good(functions_->find_objects(login_, &key_, 1, &count), "C_FindObjects");
    good(functions_->find_objects_final(login_), "C_FindObjectsFinal");
    if (count != 1) {
      throw std::runtime_error("there is no key " + label);
    }
  }

  ck::Functions* functions_{nullptr};
  ck::Slot slot_{};
  ck::Session login_{};
  ck::Object key_{};
};

std::vector<std::function<void()>> raw_workers(const Setup& setup, Raw& raw) {
  std::vector<std::function<void()>> workers;
  for (int i = 0; i < setup.sessions; ++i) {
    workers.push_back(raw.worker());
  }
  return workers;
}

std::vector<std::function<void()>> our_workers(const Setup& setup, FakeWorld& world) {
  set_worker_program(setup.signctl);
  ProviderSettings settings;
  settings.values = {{"module", setup.module}, {"token", setup.token}, {"key", setup.key}};
  settings.secrets.emplace("pin", Secret(setup.pin));
  const auto first = must(find_provider("pkcs11")->open(settings, world.world()));
  std::vector<std::function<void()>> workers;
  for (int i = 0; i < setup.sessions; ++i) {
    const std::shared_ptr<SigningSession> session = must(first->another());
    // Another digest each time: of one that is known the signature would not be verified again.
    workers.emplace_back([session, number = std::uint64_t{0}, worker = i]() mutable {
      Bytes digest(digest_size(DigestAlg::sha256), static_cast<std::uint8_t>(worker));
      ++number;
      std::memcpy(digest.data(), &number, sizeof number);
      must(session->sign(digest, DigestAlg::sha256));
    });
  }
  return workers;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// In turns, so that a machine that gets slower or faster meanwhile does not decide.
void compare(const Setup& setup) {
  constexpr int kRounds = 9;
  FakeWorld world;
  const auto ours = our_workers(setup, world);
  Raw raw(setup);
  const auto theirs = raw_workers(setup, raw);
  std::vector<double> our_rates;
  std::vector<double> raw_rates;
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    our_rates.push_back(rate(setup, ours));
    raw_rates.push_back(rate(setup, theirs));
    ratios.push_back(our_rates.back() / raw_rates.back());
  }
  std::printf("%.0f %.0f %.3f\n", median(our_rates), median(raw_rates), median(ratios));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: signctl-bench-pkcs11 SIGNCTL MODULE TOKEN KEY SESSIONS SECONDS\n", stderr);
    return 2;
  }
  try {
    const auto pin = ProcessEnvironment().get("TOKEN_PIN");
    const Setup setup{argv[1],
                      argv[2],
                      argv[3],
                      argv[4],
                      pin.value_or(""),
                      std::atoi(argv[5]),
                      std::chrono::duration<double>(std::atof(argv[6]))};
    compare(setup);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "signctl-bench-pkcs11: %s\n", exception.what());
    return 1;
  }
  return 0;
}
