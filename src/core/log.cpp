// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"

#include "core/text.hpp"

#include <atomic>
#include <memory>

#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace signctl {

namespace {

struct Settings {
  std::atomic<LogLevel> level{LogLevel::normal};
  std::atomic<LogFormat> format{LogFormat::text};
};

Settings& settings() {
  static Settings instance;
  return instance;
}

std::string_view level_text(spdlog::level::level_enum level) {
  if (level == spdlog::level::warn) {
    return "warning";
  }
  if (level == spdlog::level::debug) {
    return "debug";
  }
  return level == spdlog::level::info ? "info" : "verbose";
}

void put_json_string(spdlog::memory_buf_t& out, std::string_view text) {
  out.push_back('"');
  // From here on there are no control characters and only UTF-8.
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  out.push_back('"');
}

void put(spdlog::memory_buf_t& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

/// One message as one line, as people or as machines read it.
class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    if (format_ == LogFormat::json) {
      format_json(message, text, out);
    } else {
      format_text(message.level, text, out);
    }
    out.push_back('\n');
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  static void format_text(spdlog::level::level_enum level,
                          std::string_view text,
                          spdlog::memory_buf_t& out) {
    put(out, "signctl: ");
    if (level == spdlog::level::warn || level == spdlog::level::debug) {
      put(out, level_text(level));
      put(out, ": ");
    }
    put(out, printable(text));
  }

  static void format_json(const spdlog::details::log_msg& message,
                          std::string_view text,
                          spdlog::memory_buf_t& out) {
    put(out, R"({"time":")");
    put(out, to_iso8601(std::chrono::floor<std::chrono::seconds>(message.time)));
    put(out, R"(","level":")");
    put(out, level_text(message.level));
    put(out, R"(","message":)");
    put_json_string(out, text);
    out.push_back('}');
  }

  LogFormat format_;
};

/// Made with the first message, because most runs write none and start-up time matters.
spdlog::logger& logger() {
  static spdlog::logger instance = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    spdlog::logger made("signctl", std::move(sink));
    made.set_level(spdlog::level::trace);
    made.flush_on(spdlog::level::trace);
    made.set_formatter(std::make_unique<LineFormatter>(settings().format));
    return made;
  }();
  return instance;
}

/// spdlog's levels from quiet to talkative are warn, info, trace, debug in our use: `verbose` has
/// no counterpart and takes the place of trace.
void write(LogLevel needed, spdlog::level::level_enum level, std::string_view message) {
  if (static_cast<int>(settings().level.load()) < static_cast<int>(needed)) {
    return;
  }
  logger().log(level, spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace

void configure_log(LogLevel level, LogFormat format) {
  settings().level = level;
  settings().format = format;
}

void log_debug(std::string_view message) {
  write(LogLevel::debug, spdlog::level::debug, message);
}

void log_verbose(std::string_view message) {
  write(LogLevel::verbose, spdlog::level::trace, message);
}

void log_info(std::string_view message) {
  write(LogLevel::normal, spdlog::level::info, message);
}

void log_warning(std::string_view message) {
  write(LogLevel::quiet, spdlog::level::warn, message);
}

}  // namespace signctl
