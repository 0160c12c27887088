// SPDX-License-Identifier: Apache-2.0
#include "cli/signtool.hpp"

#include "core/path.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

namespace signctl::cli {

namespace {

/// What becomes of an option.
enum class Becomes {
  nothing,        ///< What it says holds here anyway, or is about what is printed only.
  flag,           ///< `ours` is added.
  value,          ///< `ours` and its value are added.
  lower_value,    ///< The same in lower case: names of algorithms.
  key_file,       ///< /f
  password,       ///< /p
  library,        ///< /dlib
  metadata,       ///< /dmdf
  warn_unstamped  ///< /tw
};

struct Option {
  std::string_view name;  ///< Lower case, without the slash.
  Becomes becomes{Becomes::nothing};
  std::string_view ours{};
};

struct Refused {
  std::string_view name;
  std::string_view hint;
};

constexpr std::string_view kChosenByConfig =
    "the config's signer says which key signs; /n and /sha1 may say whose it must be";
constexpr std::string_view kNoPkcs7 = "signctl signs files of known types, not any file as PKCS #7";
constexpr std::string_view kDetached = "for a detached flow use signctl digest and signctl attach";
constexpr std::string_view kNoSealing = "sealing signatures are not made";
constexpr std::string_view kNoStore = "there is no catalog database here; name the catalog with /c";

constexpr std::array kSign{Option{"fd", Becomes::lower_value, "--file-digest"},
                           Option{"tr", Becomes::value, "--timestamp-url"},
                           Option{"td", Becomes::lower_value, "--timestamp-digest"},
                           Option{"d", Becomes::value, "--description"},
                           Option{"du", Becomes::value, "--url"},
                           Option{"ac", Becomes::value, "--chain"},
                           Option{"as", Becomes::flag, "--append"},
                           Option{"ph", Becomes::flag, "--page-hashes"},
                           Option{"nph", Becomes::nothing},
                           Option{"a", Becomes::nothing},
                           Option{"n", Becomes::value, "--expect-name"},
                           Option{"sha1", Becomes::value, "--expect-thumbprint"},
                           Option{"u", Becomes::value, "--expect-eku"},
                           Option{"f", Becomes::key_file},
                           Option{"p", Becomes::password},
                           Option{"dlib", Becomes::library},
                           Option{"dmdf", Becomes::metadata}};
constexpr std::array kSignRefused{
    Refused{"t", "legacy Authenticode timestamps are not made; use /tr URL /td SHA256"},
    Refused{"tseal", kNoSealing},
    Refused{"seal", kNoSealing},
    Refused{"itos", kNoSealing},
    Refused{"force", kNoSealing},
    Refused{"nosealwarn", kNoSealing},
    Refused{"i", kChosenByConfig},
    Refused{"r", kChosenByConfig},
    Refused{"s", kChosenByConfig},
    Refused{"sm", kChosenByConfig},
    Refused{"csp", kChosenByConfig},
    Refused{"kc", kChosenByConfig},
    Refused{"c", kChosenByConfig},
    Refused{"uw", "Windows' own certificates are not signed with here"},
    Refused{"dg", kDetached},
    Refused{"ds", kDetached},
    Refused{"di", kDetached},
    Refused{"dxml", kDetached},
    Refused{"p7", kNoPkcs7},
    Refused{"p7co", kNoPkcs7},
    Refused{"p7ce", kNoPkcs7},
    Refused{"rmc", "the marker check cannot be relaxed"}};

constexpr std::array kVerify{Option{"pa", Becomes::nothing},
                             Option{"all", Becomes::nothing},
                             Option{"a", Becomes::nothing},
                             Option{"c", Becomes::value, "--catalog"},
                             Option{"tw", Becomes::warn_unstamped},
                             Option{"sha1", Becomes::value, "--expect-thumbprint"},
                             Option{"u", Becomes::value, "--expect-eku"},
                             Option{"d", Becomes::nothing},
                             Option{"ph", Becomes::nothing}};
constexpr std::array kVerifyRefused{
    Refused{"ad", kNoStore},
    Refused{"as", kNoStore},
    Refused{"ag", kNoStore},
    Refused{"o", kNoStore},
    Refused{"hash", kNoStore},
    Refused{"pg", "policies by GUID are Windows' own; /pa is the one that is known here"},
    Refused{"kp", "the kernel-mode policy is Windows' own; /pa is the one that is known here"},
    Refused{"r", "name who must have signed in the config's gate.identity"},
    Refused{"ca", "name who must have signed in the config's gate.identity"},
    Refused{"ds", "every signature is judged, as with /all"},
    Refused{"ms", "every signature is judged, as with /all"},
    Refused{"p7", kNoPkcs7},
    Refused{"p7s", kNoPkcs7},
    Refused{"sl", kNoSealing},
    Refused{"bp", "that check is Windows' own"},
    Refused{"enclave", "that check is Windows' own"}};

constexpr std::array kTimestamp{Option{"tr", Becomes::value, "--timestamp-url"},
                                Option{"td", Becomes::lower_value, "--timestamp-digest"}};
constexpr std::array kTimestampRefused{
    Refused{"t", "legacy Authenticode timestamps are not made; use /tr URL /td SHA256"},
    Refused{"tp", "every signature of the file is timestamped"},
    Refused{"tseal", kNoSealing},
    Refused{"force", kNoSealing},
    Refused{"nosealwarn", kNoSealing},
    Refused{"p7", kNoPkcs7}};

constexpr std::array kRemove{Option{"s", Becomes::nothing}};
constexpr std::array kRemoveRefused{Refused{"c", "signatures are taken off whole: /s"},
                                    Refused{"u", "signatures are taken off whole: /s"}};

/// Options of every verb; and what we add, for packagers that change the folder.
constexpr std::array kEverywhere{Option{"v", Becomes::flag, "--verbose"},
                                 Option{"debug", Becomes::flag, "--verbose"},
                                 Option{"q", Becomes::flag, "--quiet"}};
constexpr std::array kOurs{Option{"--config", Becomes::value, "--config"},
                           Option{"--signer", Becomes::value, "--signer"},
                           Option{"--trust-cert", Becomes::value, "--trust-cert"},
                           Option{"--dev", Becomes::flag, "--dev"}};

struct Verb {
  std::string_view name;
  std::span<const Option> options;
  std::span<const Refused> refused;
};

constexpr std::array kVerbs{Verb{"sign", kSign, kSignRefused},
                            Verb{"verify", kVerify, kVerifyRefused},
                            Verb{"timestamp", kTimestamp, kTimestampRefused},
                            Verb{"remove", kRemove, kRemoveRefused}};

template <class Row>
const Row* find(std::span<const Row> rows, std::string_view name) {
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

bool is_file(const std::string& text) {
  std::error_code failure;
  return std::filesystem::is_regular_file(to_path(text), failure);
}

bool is_folder(const std::string& text) {
  std::error_code failure;
  return std::filesystem::is_directory(to_path(text), failure);
}

/// Reads the arguments of one verb from left to right.
class Reader {
 public:
  Reader(const Verb& verb, std::span<const std::string> arguments)
      : verb_(verb), arguments_(arguments) {}

  Result<SigntoolOrder> read();

 private:
  Result<void> take(const std::string& argument);
  Result<void> apply(const Option& option, const std::string& spelled);
  Result<void> add_password(const std::string& value);
  Result<void> check() const;
  Result<std::string> value_of(const std::string& spelled);
  static Result<void> without_value(const Option& option, const std::string& spelled);
  void add(std::string_view flag) { order_.arguments.emplace_back(flag); }
  void add(std::string_view flag, std::string value) {
    // In one word, so that a value that looks like an option stays a value.
    order_.arguments.push_back(std::string(flag) + "=" + std::move(value));
  }
  void provide(const std::string& pair) {
    order_.arguments.emplace_back("-p");
    order_.arguments.push_back(pair);
  }
  [[nodiscard]] bool has(std::string_view name) const {
    return std::find(seen_.begin(), seen_.end(), name) != seen_.end();
  }

  const Verb& verb_;
  std::span<const std::string> arguments_;
  std::size_t next_{0};
  SigntoolOrder order_;
  std::vector<std::string> seen_;  ///< Names of options, in order.
  std::vector<std::string> files_;
  std::string library_;
};

Result<std::string> Reader::value_of(const std::string& spelled) {
  if (next_ == arguments_.size()) {
    return Error{ErrorKind::usage, spelled + " needs a value"};
  }
  return arguments_[next_++];
}

/// Packagers write /d "" for a product without a description; anything else that is empty is a
/// variable that is not set.
Result<void> Reader::without_value(const Option& option, const std::string& spelled) {
  if (option.name == "d" || option.name == "du") {
    return ok();
  }
  return Error{ErrorKind::usage, spelled + ": the value is empty: is a variable not set?"};
}

Result<void> Reader::add_password(const std::string& value) {
  constexpr std::array<std::string_view, 3> kReferences{"env:", "file:", "exec:"};
  const bool refers = std::any_of(kReferences.begin(), kReferences.end(), [&](auto prefix) {
    return value.starts_with(prefix);
  });
  if (!refers) {
    // Not repeated: it is a secret.
    return Error{
        ErrorKind::usage,
        "/p with a password in it is not taken: every process of the machine could read it",
        "put it into an environment variable and say /p env:NAME, or /p file:PATH"};
  }
  provide("password=" + value);
  return ok();
}

Result<void> Reader::apply(const Option& option, const std::string& spelled) {
  std::string value;
  const bool takes_value = option.becomes != Becomes::nothing && option.becomes != Becomes::flag &&
                           option.becomes != Becomes::warn_unstamped;
  if (takes_value) {
    SIGNCTL_TRY(value, value_of(spelled), "");
    if (value.empty()) {
      return without_value(option, spelled);
    }
  }
  switch (option.becomes) {
    case Becomes::nothing:
      break;
    case Becomes::flag:
      add(option.ours);
      break;
    case Becomes::value:
      add(option.ours, std::move(value));
      break;
    case Becomes::lower_value:
      add(option.ours, to_lower(value));
      break;
    case Becomes::key_file:
      add("--provider", "pfx");
      provide("file=" + value);
      break;
    case Becomes::password:
      return add_password(value);
    case Becomes::library:
      library_ = to_lower(value);
      break;
    case Becomes::metadata:
      add("--provider", "trusted-signing");
      provide("metadata=" + value);
      break;
    case Becomes::warn_unstamped:
      order_.warn_unstamped = true;
      break;
  }
  return ok();
}

Result<void> Reader::take(const std::string& argument) {
  const bool may_be_option =
      argument.size() > 1 && (argument.front() == '/' || argument.front() == '-');
  if (!may_be_option) {
    files_.push_back(argument);
    return ok();
  }
  if (const Option* ours = find(std::span<const Option>(kOurs), argument)) {
    return apply(*ours, argument);
  }
  const std::string name = argument == "-c" && verb_.name != "verify"
                               ? "--config"
                               : to_lower(std::string_view(argument).substr(1));
  if (name == "--config") {
    return apply(kOurs.front(), argument);
  }
  const Option* option = find(verb_.options, name);
  option = option == nullptr ? find(std::span<const Option>(kEverywhere), name) : option;
  if (option != nullptr) {
    seen_.push_back(name);
    return apply(*option, argument);
  }
  if (const Refused* refused = find(verb_.refused, name)) {
    return Error{ErrorKind::unsupported,
                 "signtool's " + printable(argument) + " is not done here",
                 std::string(refused->hint)};
  }
  // On other systems than Windows paths begin with a slash.
  if (argument.front() == '/' && (name.find('/') != std::string::npos || is_file(argument))) {
    files_.push_back(argument);
    return ok();
  }
  return Error{ErrorKind::usage,
               "signtool " + std::string(verb_.name) + " has no option " + printable(argument),
               "signctl signtool --help lists those that are known here"};
}

Result<void> Reader::check() const {
  if (has("dlib") != has("dmdf")) {
    return Error{ErrorKind::usage, "/dlib and /dmdf belong together"};
  }
  if (has("dlib") && library_.find("azure.codesigning.dlib") == std::string::npos) {
    return Error{ErrorKind::unsupported,
                 "libraries of others are not loaded; known is Azure.CodeSigning.Dlib.dll",
                 "signctl providers lists the services that are built in"};
  }
  if ((has("f") && has("dmdf")) || (has("p") && !has("f"))) {
    return Error{ErrorKind::usage,
                 has("p") ? "/p is the password of the file that /f names"
                          : "/f and /dmdf exclude each other"};
  }
  if (verb_.name == "verify" && !has("pa")) {
    return Error{ErrorKind::unsupported,
                 "without /pa signtool asks Windows' policy for drivers, which is not known here",
                 "say signctl signtool verify /pa FILE"};
  }
  if (verb_.name == "remove" && !has("s")) {
    return Error{ErrorKind::usage, "signtool remove needs /s"};
  }
  if (files_.empty()) {
    return Error{ErrorKind::usage, "signtool " + std::string(verb_.name) + " needs a file"};
  }
  // What is signed in place must have been named: a slip of the pen can be the name of a folder.
  const auto folder = std::find_if(files_.begin(), files_.end(), is_folder);
  if (folder != files_.end()) {
    return Error{ErrorKind::usage,
                 "signtool takes files, and " + printable(*folder) + " is a folder",
                 "name its files, with wildcards if you like; signctl " + std::string(verb_.name) +
                     " takes folders"};
  }
  return ok();
}

Result<SigntoolOrder> Reader::read() {
  order_.command = verb_.name;
  while (next_ < arguments_.size()) {
    SIGNCTL_CHECK(take(arguments_[next_++]), "");
  }
  SIGNCTL_CHECK(check(), "");
  if (verb_.name == "sign" && !has("as")) {
    add("--if-signed", "replace");
  }
  if (verb_.name == "sign" || verb_.name == "timestamp") {
    add("--keep-going");
  }
  add("--");
  std::move(files_.begin(), files_.end(), std::back_inserter(order_.arguments));
  return std::move(order_);
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument == "/?" || argument == "-?" || argument == "--help" || argument == "-h";
  });
}

}  // namespace

Result<SigntoolOrder> translate_signtool(const std::vector<std::string>& arguments) {
  if (asks_for_help(arguments)) {
    return SigntoolOrder{"help", {}, false};
  }
  if (arguments.empty()) {
    return Error{ErrorKind::usage,
                 "signtool needs a command",
                 "known here are sign, verify, timestamp and remove"};
  }
  const Verb* verb = find(std::span<const Verb>(kVerbs), to_lower(arguments.front()));
  if (verb == nullptr) {
    const bool known = to_lower(arguments.front()) == "catdb";
    return Error{known ? ErrorKind::unsupported : ErrorKind::usage,
                 "signtool " + printable(arguments.front()) + " is not done here",
                 "known here are sign, verify, timestamp and remove"};
  }
  return Reader(*verb, std::span(arguments).subspan(1)).read();
}

int signtool_exit_code(int ours) {
  return ours == 0 ? 0 : 1;
}

}  // namespace signctl::cli
