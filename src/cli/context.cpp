// SPDX-License-Identifier: Apache-2.0
#include "cli/context.hpp"

#include "cli/platform.hpp"
#include "core/log.hpp"

#include <signctl/make.hpp>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace signctl::cli {

namespace {

LogLevel log_level(const OutputFlags& flags) {
  if (flags.quiet) {
    return LogLevel::quiet;
  }
  if (flags.verbose == 0) {
    return LogLevel::normal;
  }
  return flags.verbose == 1 ? LogLevel::verbose : LogLevel::debug;
}

bool wants_color(const OutputFlags& flags, const Environment& environment, Stream stream) {
  if (flags.color != "auto") {
    return flags.color == "always";
  }
  const auto terminal = environment.get("TERM");
  return !environment.get("NO_COLOR") && (!terminal || *terminal != "dumb") && is_terminal(stream);
}

std::string painted(std::string_view text, Color color) {
  const char* start = "";
  switch (color) {
    case Color::plain:
      return std::string(text);
    case Color::green:
      start = "\x1b[32m";
      break;
    case Color::yellow:
      start = "\x1b[33m";
      break;
    case Color::red:
      start = "\x1b[31m";
      break;
    case Color::bold:
      start = "\x1b[1m";
      break;
  }
  return start + std::string(text) + "\x1b[0m";
}

}  // namespace

Context::Context() : clock_(make_system_clock()), environment_(make_process_environment()) {}
Context::~Context() = default;

void Context::configure(const OutputFlags& flags) {
  flags_ = flags;
  configure_log(log_level(flags), flags.log_format == "json" ? LogFormat::json : LogFormat::text);
  color_output_ = wants_color(flags, *environment_, Stream::output);
  color_error_ = wants_color(flags, *environment_, Stream::error);
}

Clock& Context::clock() {
  return *clock_;
}

const Environment& Context::environment() {
  return *environment_;
}

World Context::world() {
  if (!http_) {
    http_ = make_http_client(*environment_);
  }
  return World{*clock_, *environment_, *http_};
}

void Context::write(std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  // Flushed at once: a pipeline's log should show each file as it ends.
  if ((!written || std::fflush(stdout) != 0) && write_error_ == 0) {
    write_error_ = errno == 0 ? EIO : errno;
  }
}

void Context::line(std::string_view text) {
  if (flags_.json || flags_.quiet) {
    return;
  }
  write(std::string(text) + "\n");
}

std::string Context::paint(std::string_view text, Color color) const {
  return painted(text, color_output_ ? color : Color::plain);
}

std::string Context::paint_error(std::string_view text, Color color) const {
  return painted(text, color_error_ ? color : Color::plain);
}

Result<void> Context::finish() {
  if (write_error_ == 0) {
    return ok();
  }
  // A reader that has seen enough (`| head`) is told nothing; the exit code still tells.
  return Error{ErrorKind::output,
               write_error_ == EPIPE ? ""
                                     : "the result could not be written to standard output: " +
                                           std::generic_category().message(write_error_)};
}

}  // namespace signctl::cli
