// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include <atomic>
#include <memory>
#include <string>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace signctl {

namespace {

std::atomic<LogLevel> g_level{LogLevel::normal};
std::atomic<LogFormat> g_format{LogFormat::text};

/// Made at the first message, because most runs have none.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> kLogger = [] {
    auto made = std::make_shared<spdlog::logger>("signctl",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->set_pattern(g_format == LogFormat::json
                          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})"
                          : "signctl: %v",
                      spdlog::pattern_time_type::utc);
    return made;
  }();
  return *kLogger;
}

std::string json_escaped(std::string_view text) {
  std::string out;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (octet < 0x20U) {
      out += "\\u00";
      out += kHex[octet >> 4U];
      out += kHex[octet & 15U];
    } else {
      out += c;
    }
  }
  return out;
}

void write(LogLevel needed,
           spdlog::level::level_enum level,
           std::string_view prefix,
           std::string_view message) {
  if (g_level.load() < needed) {
    return;
  }
  const std::string text = g_format == LogFormat::json ? json_escaped(message)
                                                       : std::string(prefix) + std::string(message);
  logger().log(level, "{}", text);
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  g_level = level;
  g_format = format;
}

void log_debug(std::string_view message) {
  write(LogLevel::debug, spdlog::level::debug, "debug: ", message);
}

void log_verbose(std::string_view message) {
  write(LogLevel::verbose, spdlog::level::info, "", message);
}

void log_info(std::string_view message) {
  write(LogLevel::normal, spdlog::level::info, "", message);
}

void log_warning(std::string_view message) {
  write(LogLevel::quiet, spdlog::level::warn, "warning: ", message);
}

}  // namespace signctl
