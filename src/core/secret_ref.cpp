// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include "core/file.hpp"
#include "core/secret_input.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "core/wipe.hpp"

#include <mutex>
#include <optional>

namespace signctl {

namespace {

constexpr std::chrono::seconds kCommandLimit{60};
constexpr std::string_view kHowTo =
    "give a reference instead of the secret: env:NAME, file:PATH, exec:COMMAND or stdin";

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.find_first_of(std::string_view("=\0 \t\r\n", 6)) == name.npos;
}

Result<Secret> from_environment(const std::string& name, const Environment& environment) {
  std::optional<std::string> value = environment.get(name);
  if (!value || value->empty()) {
    // A pipeline hands over an empty value where a secret is missing.
    return Error{ErrorKind::auth,
                 "the environment variable " + printable(name) +
                     (value ? " is empty" : " is not set or is empty"),
                 "set it for this step only, from the secret store of the pipeline"};
  }
  Secret secret{std::string(*value)};
  wipe_string(*value);
  return secret;
}

Result<Secret> from_file(const std::string& path) {
  auto bytes = read_file(path, kLargestSecret);
  if (!bytes) {
    Error error = std::move(bytes).error();
    error.kind = ErrorKind::auth;
    return error;
  }
  std::string_view text = as_text(*bytes);
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  if (text.ends_with('\r')) {
    text.remove_suffix(1);
  }
  Secret secret{std::string(text)};
  wipe_memory(bytes->data(), bytes->size());
  if (secret.empty()) {
    return Error{ErrorKind::auth,
                 "the secret file " + printable(path) + " is empty",
                 "write the secret into it"};
  }
  return secret;
}

/// Standard input can be read only once, but several settings may name it.
Result<Secret> from_standard_input() {
  static std::mutex mutex;
  static std::optional<Result<Secret>> kept;
  const std::lock_guard lock(mutex);
  if (!kept) {
    kept.emplace(read_standard_input());
  }
  return *kept;
}

/// What Windows programs write into files and pipes may begin with a byte order mark, which is no
/// part of the secret.
Result<Secret> plain(Result<Secret> secret, const std::string& name) {
  if (!secret) {
    return secret;
  }
  if (has_utf16_mark(secret->reveal())) {
    return Error{ErrorKind::config, name + " holds UTF-16", std::string(kSaveAsUtf8)};
  }
  Secret text{std::string(without_byte_order_mark(secret->reveal()))};
  if (text.empty()) {
    return Error{ErrorKind::auth, name + " holds no secret", "write the secret into it"};
  }
  return text;
}

/// A command without its arguments, among which somebody may have put a secret after all.
std::string shown_command(std::string_view command) {
  const std::string_view program = command.substr(0, command.find_first_of(" \t\r\n"));
  if (program.size() == command.size() && program.find('=') == program.npos) {
    return printable(program);
  }
  return program.find('=') == program.npos ? printable(program) + " ..." : "...";
}

}  // namespace

Result<SecretRef> SecretRef::parse(std::string_view text) {
  if (text == "stdin") {
    return SecretRef(Kind::standard_input, "");
  }
  const std::size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  const std::string argument(colon == text.npos ? "" : text.substr(colon + 1));
  if (scheme == "env" && colon != text.npos) {
    if (!is_variable_name(argument)) {
      return Error{ErrorKind::config,
                   "what follows \"env:\" is not the name of a variable",
                   std::string(kHowTo)};
    }
    return SecretRef(Kind::environment, argument);
  }
  if ((scheme == "file" || scheme == "exec") && argument.empty() && colon != text.npos) {
    return Error{
        ErrorKind::config, "nothing follows \"" + std::string(scheme) + ":\"", std::string(kHowTo)};
  }
  if (scheme == "file" && colon != text.npos) {
    return SecretRef(Kind::file, argument);
  }
  if (scheme == "exec" && colon != text.npos) {
    return SecretRef(Kind::command, argument);
  }
  return Error{ErrorKind::config, "a secret is given as a literal value", std::string(kHowTo)};
}

Result<Secret> SecretRef::resolve(const Environment& environment) const {
  switch (kind_) {
    case Kind::environment:
      return from_environment(argument_, environment);
    case Kind::file:
      return plain(from_file(argument_), describe());
    case Kind::command:
      return plain(read_command_output(argument_, kCommandLimit), describe());
    case Kind::standard_input:
      return plain(from_standard_input(), describe());
  }
  return Error{ErrorKind::internal, "a secret reference of no known kind"};
}

std::string SecretRef::describe() const {
  switch (kind_) {
    case Kind::environment:
      return "env:" + printable(argument_);
    case Kind::file:
      return "file:" + printable(argument_);
    case Kind::command:
      return "exec:" + shown_command(argument_);
    case Kind::standard_input:
      return "stdin";
  }
  return "";
}

Result<Secret> resolve_first(const std::vector<SecretRef>& references,
                             const Environment& environment) {
  std::vector<std::string> failures;
  std::string hint = "set one of them";
  ErrorKind kind = ErrorKind::auth;
  for (const SecretRef& reference : references) {
    auto secret = reference.resolve(environment);
    if (secret) {
      return secret;
    }
    failures.push_back(reference.describe() + " (" + secret.error().message + ")");
    if (references.size() == 1) {
      hint = secret.error().hint;
      kind = secret.error().kind;
    }
  }
  if (failures.empty()) {
    return Error{ErrorKind::auth, "no secret reference is given", std::string(kHowTo)};
  }
  return Error{kind, "no secret could be had from " + join(failures, ", "), hint};
}

}  // namespace signctl
