// SPDX-License-Identifier: Apache-2.0
// The library from outside: lists what it can read, and judges the files it is given.
#include <signctl/engine.hpp>
#include <signctl/format.hpp>
#include <signctl/make.hpp>

#include <iostream>

int main(int argc, char** argv) {
  for (const signctl::Format* format : signctl::builtin_formats()) {
    std::cout << format->name() << ": " << format->title() << '\n';
  }

  const auto clock = signctl::make_system_clock();
  const auto environment = signctl::make_process_environment();
  auto store = signctl::make_trust_store(true, {}, *environment);
  if (!store) {
    std::cerr << store.error().message << '\n';
    return 1;
  }
  signctl::engine::Gate gate;
  gate.store = std::move(store).value();

  bool all_passed = true;
  for (int i = 1; i < argc; ++i) {
    const auto outcome = signctl::engine::verify_file(argv[i], gate, clock->now());
    const bool passed = outcome && outcome->verdict.passed;
    std::cout << argv[i] << ": " << (passed ? "passed" : "do not ship") << '\n';
    all_passed = all_passed && passed;
  }
  return all_passed ? 0 : 1;
}
