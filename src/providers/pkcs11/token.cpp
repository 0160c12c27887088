// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/token.hpp"

#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/module_paths.hpp"
#include "providers/pkcs11/return_value.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

// A reader that has just woken up shows no token for a moment.
constexpr int kLooks = 3;
constexpr std::chrono::milliseconds kBetweenLooks{300};

bool fits(const std::optional<std::string>& wanted, const std::string& text) {
  return !wanted || *wanted == text;
}

bool fits(const Slot& slot, const OpenModule& module, const Options& options) {
  const Uri& uri = options.uri;
  if (!slot.token || (slot.token->flags & ck::kTokenInitialized) == 0) {
    return false;
  }
  const Token& token = *slot.token;
  return (options.token.empty() || options.token == token.label) &&
         (options.serial.empty() || options.serial == token.serial) &&
         fits(uri.manufacturer, token.manufacturer) && fits(uri.model, token.model) &&
         (!uri.slot_id || *uri.slot_id == slot.id) &&
         fits(uri.slot_description, slot.description) &&
         fits(uri.slot_manufacturer, slot.manufacturer) &&
         fits(uri.library_description, module.info.description) &&
         fits(uri.library_manufacturer, module.info.manufacturer) &&
         fits(uri.library_version, module.info.version);
}

std::string list_of(const std::vector<Slot>& slots) {
  std::vector<std::string> texts;
  for (const Slot& slot : slots) {
    if (slot.token && (slot.token->flags & ck::kTokenInitialized) != 0) {
      texts.push_back(describe(slot));
    }
  }
  return join(texts, "; ");
}

Error no_token(const std::vector<Slot>& slots, const std::string& where) {
  const std::string there = list_of(slots);
  if (there.empty()) {
    return {
        ErrorKind::provider,
        "no token is present in " + where,
        "plug it in. In containers mount the socket of pcscd; in a remote desktop session smart "
        "cards are those of the other end"};
  }
  return {ErrorKind::provider,
          "the token that was asked for is not present in " + where,
          "there is " + there};
}

Error several_tokens(const std::vector<Slot>& slots) {
  return {ErrorKind::config,
          "several tokens are present: " + list_of(slots),
          "set token, and serial where labels are equal"};
}

Result<Slot> only_slot(const OpenModule& module, const Options& options) {
  const std::vector<Slot> slots = matching_slots(module, options);
  if (slots.empty()) {
    return no_token(module.slots, printable(module.path));
  }
  if (slots.size() > 1) {
    return several_tokens(slots);
  }
  return slots.front();
}

/// The drivers that are in use, by the module's path. A login belongs to the process that the
/// module is loaded in: signers that share it log in to a token once between them.
class Drivers {
 public:
  /// The driver of the module, with a way to it.
  Result<OpenModule> connect(const std::string& path, std::chrono::milliseconds limit) {
    const std::lock_guard lock(mutex_);
    OpenModule module;
    module.path = path;
    std::weak_ptr<Driver>& known = in_use_[path];
    module.driver = known.lock();
    if (module.driver) {
      auto link = module.driver->connect(limit);
      if (link) {
        module.link = *std::move(link);
        return module;
      }
      log_debug("pkcs11: " + link.error().message);
    }
    SIGNCTL_TRY(module.driver, start_driver(), "");
    SIGNCTL_TRY(module.link, module.driver->connect(limit), "");
    known = module.driver;
    return module;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Driver>> in_use_;
};

Drivers& drivers() {
  static Drivers instance;
  return instance;
}

Request request_for(Operation operation) {
  Request request;
  request.operation = operation;
  return request;
}

Result<OpenToken> open_named(const Options& options, Clock& clock) {
  SIGNCTL_TRY(OpenModule module, open_module(options.module, options.timeout), "");
  for (int look = 1; look < kLooks && matching_slots(module, options).empty(); ++look) {
    clock.sleep_for(kBetweenLooks);
    SIGNCTL_TRY(Reply again,
                ask(*module.link, request_for(Operation::slots), options.timeout),
                "listing slots");
    module.slots = std::move(again.slots);
  }
  SIGNCTL_TRY(Slot slot, only_slot(module, options), "");
  return OpenToken{std::move(module), std::move(slot)};
}

/// Whether the file is what `module-name` of a URI means: its name with or without lib and suffix.
bool has_name(const std::string& path, const std::string& name) {
  const auto file = to_path(path).filename();
  const std::string stem = to_utf8(file).substr(0, to_utf8(file).find('.'));
  return name.empty() || stem == name || stem == "lib" + name || to_utf8(file) == name;
}

Result<OpenToken> find_token(const Options& options, const Environment& environment) {
  std::vector<Slot> seen;
  std::vector<std::string> looked;
  for (const FoundModule& found : installed_modules()) {
    if (!has_name(found.path, options.module_name) || !may_be_probed(found, environment)) {
      continue;
    }
    looked.push_back(found.vendor);
    auto module = open_module(found.path, options.timeout);
    if (!module) {
      // Installed for something else and not set up, as likely as not.
      log_verbose("pkcs11: " + found.path + ": " + module.error().message);
      continue;
    }
    if (!matching_slots(*module, options).empty()) {
      log_verbose("pkcs11: using module " + found.path);
      SIGNCTL_TRY(Slot slot, only_slot(*module, options), "");
      return OpenToken{*std::move(module), std::move(slot)};
    }
    seen.insert(seen.end(), module->slots.begin(), module->slots.end());
  }
  if (looked.empty()) {
    return Error{ErrorKind::config,
                 "no PKCS#11 module was found on this machine",
                 "install the vendor's driver, or set module to its library"};
  }
  return no_token(seen, "the modules found here (" + join(looked, ", ") + ")");
}

}  // namespace

Result<Reply> ask(Link& link, const Request& request, std::chrono::milliseconds limit) {
  SIGNCTL_TRY(Reply reply, link.call(request, limit), "");
  if (reply.rv != ck::kOk) {
    return rv_error(reply.call, reply.rv);
  }
  return reply;
}

Result<OpenModule> open_module(const std::string& path, std::chrono::milliseconds limit) {
  const std::string step = "opening module " + printable(path);
  SIGNCTL_TRY(OpenModule module, drivers().connect(path, limit), step);
  Request load = request_for(Operation::load);
  load.module = path;
  SIGNCTL_TRY(Reply loaded, module.link->call(load, limit), step);
  if (!loaded.text.empty()) {
    return Error{ErrorKind::config,
                 "cannot load the module: " + printable(loaded.text),
                 "check that it is for this kind of machine, and that what it needs is installed"}
        .within(step);
  }
  if (loaded.rv != ck::kOk) {
    Error error = rv_error(loaded.call, loaded.rv);
    error.kind = ErrorKind::provider;
    return std::move(error).within(step);
  }
  module.info = std::move(loaded.module);
  SIGNCTL_TRY(Reply listed, ask(*module.link, request_for(Operation::slots), limit), step);
  module.slots = std::move(listed.slots);
  return module;
}

std::vector<Slot> matching_slots(const OpenModule& module, const Options& options) {
  std::vector<Slot> matching;
  std::copy_if(module.slots.begin(),
               module.slots.end(),
               std::back_inserter(matching),
               [&](const Slot& slot) { return fits(slot, module, options); });
  return matching;
}

Result<OpenToken> open_token(const Options& options, World world) {
  return options.module.empty() ? find_token(options, world.environment)
                                : open_named(options, world.clock);
}

std::string describe(const Slot& slot) {
  const Token token = slot.token.value_or(Token{});
  return "\"" + printable(token.label) + "\", serial " + printable(token.serial) + ", " +
         printable(token.model) + ", slot " + std::to_string(slot.id);
}

}  // namespace signctl::providers::pkcs11
