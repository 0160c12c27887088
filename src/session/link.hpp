// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

// The way between a client and a session: a local socket in a folder that nobody else may enter. On
// Windows there is none yet: every call is `unsupported` or finds nothing.
namespace signctl::session {

/// A connection. Messages are whole or not at all.
class Link {
 public:
  virtual ~Link() = default;

  /// @errors `network` when the other side has gone.
  virtual Result<void> send(ByteView message) = 0;

  /// Waits for the next message, at most that long.
  ///
  /// @errors `network` when the other side has gone, is late or sends what is too long, with
  ///         `may_be_done` unless it has gone without having read all that was sent to it;
  ///         `interrupted` when somebody asked to stop.
  virtual Result<Bytes> receive(std::chrono::milliseconds most) = 0;
};

/// Where connections come in. Removes its socket when it goes.
class Listener {
 public:
  virtual ~Listener() = default;

  /// The next connection of this user, if one comes within `most`; others are turned away.
  virtual std::unique_ptr<Link> accept(std::chrono::milliseconds most) = 0;
};

/// The folder of this user's sessions: $XDG_RUNTIME_DIR/signctl, else signctl-UID in the folder for
/// temporary files.
[[nodiscard]] std::string session_folder(const std::optional<std::string>& runtime_dir,
                                         const std::optional<std::string>& temporary_dir);

/// Makes it if it is not there.
///
/// @errors `output` when it cannot be made, or others own it or may enter it.
Result<void> make_session_folder(const std::string& folder);

/// Waits for connections under `path`. What a session that was killed left behind is replaced.
///
/// @errors `output` when another session lives there, or the path is too long.
Result<std::unique_ptr<Listener>> listen(const std::string& path);

/// The session under `path`; null when there is none.
///
/// @errors `output` when the folder or the process behind the socket is not this user's.
Result<std::unique_ptr<Link>> connect(const std::string& path);

/// What the process that start_in_background() has made is to do.
enum class Side { parent, child };

/// The child's half of the pipe on which it says how it began; the parent's waits for that.
class Beginning {
 public:
  virtual ~Beginning() = default;
  /// In the child: hands a message to the parent, once, and leaves what the terminal has.
  virtual void report(ByteView message) = 0;
  /// In the parent: the message; empty when the child died without one.
  virtual Bytes wait() = 0;
};

/// Goes on in two processes. The child is in a session of its own, without what it inherited but
/// its standard streams, until it reports. Call it before there are threads.
///
/// @errors `internal` when the system has no process left; `unsupported` on Windows.
Result<std::pair<Side, std::unique_ptr<Beginning>>> start_in_background();

/// This process' number.
[[nodiscard]] std::int64_t process_number();

}  // namespace signctl::session
