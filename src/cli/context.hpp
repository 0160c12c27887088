// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace signctl::cli {

/// The flags that every command has.
struct OutputFlags {
  bool json{false};
  bool quiet{false};
  int verbose{0};
  std::string log_format{"text"};
  std::string color{"auto"};
};

enum class Color { plain, green, yellow, red, bold };

/// What a command is handed: the outside world, made when it is first asked for, and the way to
/// standard output. stderr is reached through core/log.hpp and errors.hpp.
class Context {
 public:
  Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context();

  /// Called once, after the command line has been read and before a command runs.
  void configure(const OutputFlags& flags);

  [[nodiscard]] Clock& clock();
  [[nodiscard]] const Environment& environment();
  [[nodiscard]] World world();

  [[nodiscard]] bool json() const { return flags_.json; }
  [[nodiscard]] bool json_log() const { return flags_.log_format == "json"; }
  [[nodiscard]] bool quiet() const { return flags_.quiet; }
  [[nodiscard]] bool verbose() const { return flags_.verbose > 0; }

  /// Writes results as they are.
  void write(std::string_view text);
  /// Writes one line of a result meant for people: nothing with --json or --quiet.
  void line(std::string_view text);
  /// `text` in a colour, if standard output (or stderr) shows colours.
  [[nodiscard]] std::string paint(std::string_view text, Color color) const;
  [[nodiscard]] std::string paint_error(std::string_view text, Color color) const;

  /// Whether all that was written to standard output got there.
  ///
  /// @errors `output`; without a message when nobody reads it any more.
  Result<void> finish();

 private:
  OutputFlags flags_;
  int write_error_{0};  ///< errno of the first write that failed.
  bool color_output_{false};
  bool color_error_{false};
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Environment> environment_;
  std::unique_ptr<HttpClient> http_;
};

}  // namespace signctl::cli
