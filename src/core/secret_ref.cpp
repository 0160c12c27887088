// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include "core/command.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

#include <iostream>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

namespace signctl {

namespace {

constexpr std::size_t kMaxSecretBytes = 64U << 10U;
constexpr std::string_view kHowTo = "use env:NAME, file:PATH, exec:COMMAND or stdin";

/// Without one trailing line break, which editors and `echo` add.
std::string without_line_break(std::string text) {
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  return text;
}

/// The whole of standard input, read once a process.
Secret standard_input_once() {
  static std::mutex mutex;
  static std::optional<Secret> content;
  const std::lock_guard lock(mutex);
  if (!content) {
    std::string line;
    std::getline(std::cin, line);
    content = Secret(without_line_break(std::move(line)));
  }
  return *content;
}

}  // namespace

Result<SecretRef> SecretRef::parse(std::string_view text) {
  struct Form {
    std::string_view prefix;
    Kind kind;
  };
  constexpr Form kForms[] = {
      {"env:", Kind::environment}, {"file:", Kind::file}, {"exec:", Kind::command}};
  if (text == "stdin") {
    return SecretRef(Kind::standard_input, {});
  }
  for (const Form& form : kForms) {
    if (text.starts_with(form.prefix) && text.size() > form.prefix.size()) {
      return SecretRef(form.kind, std::string(text.substr(form.prefix.size())));
    }
  }
  return Error{ErrorKind::config, "not a reference to a secret", std::string(kHowTo)};
}

Result<Secret> SecretRef::resolve(const Environment& environment) const {
  switch (kind_) {
    case Kind::environment: {
      auto value = environment.get(argument_);
      if (!value) {
        return Error{ErrorKind::auth,
                     "the environment variable " + argument_ + " is not set",
                     "set it in the step that runs signctl"};
      }
      return Secret(std::move(*value));
    }
    case Kind::file: {
      auto bytes = read_file(argument_, kMaxSecretBytes);
      if (!bytes) {
        return Error{ErrorKind::auth,
                     "no secret from " + describe() + ": " + bytes.error().message,
                     bytes.error().hint};
      }
      return Secret(without_line_break(std::string(as_text(*bytes))));
    }
    case Kind::command: {
      SIGNCTL_TRY(std::string output, first_line_of_command(argument_), "running " + describe());
      return Secret(without_line_break(std::move(output)));
    }
    case Kind::standard_input:
      return standard_input_once();
  }
  return Error{ErrorKind::internal, "unknown kind of secret reference"};
}

std::string SecretRef::describe() const {
  switch (kind_) {
    case Kind::environment:
      return "env:" + argument_;
    case Kind::file:
      return "file:" + argument_;
    case Kind::command:
      // Commands may carry secrets of their own.
      return "exec:...";
    case Kind::standard_input:
      break;
  }
  return "stdin";
}

Result<Secret> resolve_first(const std::vector<SecretRef>& references,
                             const Environment& environment) {
  std::vector<std::string> failures;
  std::string hint;
  for (const SecretRef& reference : references) {
    auto secret = reference.resolve(environment);
    if (secret) {
      return secret;
    }
    failures.push_back(secret.error().message);
    hint = secret.error().hint;
  }
  if (failures.empty()) {
    return Error{ErrorKind::config, "no reference to a secret is given", std::string(kHowTo)};
  }
  return Error{ErrorKind::auth, join(failures, "; "), hint};
}

}  // namespace signctl
