// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace signctl {

enum class LogLevel { quiet, normal, verbose, debug };
enum class LogFormat { text, json };

/// Sets what goes to stderr. Call once, before threads start. Default: normal, text.
void configure_log(LogLevel level, LogFormat format);

/// One line for people on stderr. Thread-safe. Callers never pass secrets.
void log_debug(std::string_view message);
void log_verbose(std::string_view message);
void log_info(std::string_view message);
void log_warning(std::string_view message);

}  // namespace signctl
