// SPDX-License-Identifier: Apache-2.0
// signctl-fake: stand-ins for signing services, for rehearsing a pipeline without an account.

#include "core/clock.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "fake/server.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <csignal>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>

using namespace signctl;  // NOLINT(google-build-using-namespace): a program of one file

namespace {

constexpr const char* kUsage =
    "usage: signctl-fake --personality NAME[,NAME...] [--folder DIR] [--port N] [--http]\n"
    "                    [--require-client-certificate] [--unmarked]\n"
    "\n"
    "Serves stand-ins for signing services on 127.0.0.1 until it is interrupted. Prints one line\n"
    "of JSON with the URL and each service's settings; certificates go into DIR (default: .):\n"
    "ca.pem (for ca_file), root.pem (for verify --trust-cert), KIND.pem (for chain, where a "
    "service\n"
    "keeps keys alone: rsa2048, rsa3072, p256, p384, p521), client.p12 and stranger.p12\n"
    "(password \"fake-p12-password\"). What the services sign is marked as a rehearsal unless\n"
    "--unmarked.\n"
    "Personalities:";

struct Arguments {
  std::vector<std::string> names;
  std::filesystem::path folder{"."};
  fake::ServerOptions server;
  fake::Marking marking{fake::Marking::rehearsal};
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == ',') {
      parts.emplace_back();
    } else {
      parts.back().push_back(letter);
    }
  }
  return parts;
}

/// Empty when the command line is wrong.
std::optional<Arguments> read_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (words[i] == "--personality" && has_value) {
      arguments.names = split(words[++i]);
    } else if (words[i] == "--folder" && has_value) {
      arguments.folder = words[++i];
    } else if (words[i] == "--port" && has_value) {
      arguments.server.port = std::atoi(words[++i].c_str());
    } else if (words[i] == "--http") {
      arguments.server.transport = fake::Transport::http;
    } else if (words[i] == "--require-client-certificate") {
      arguments.server.client = fake::ClientCertificate::required;
    } else if (words[i] == "--unmarked") {
      arguments.marking = fake::Marking::none;
    } else {
      return std::nullopt;
    }
  }
  return arguments.names.empty() ? std::nullopt : std::optional(std::move(arguments));
}

void write(const std::filesystem::path& path, ByteView bytes) {
  test::spill(path.string(), bytes);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void write_certificates(const Arguments& arguments, fake::Lab& lab) {
  std::filesystem::create_directories(arguments.folder);
  const std::string root = crypto::to_pem({lab.pki().root()});
  write(arguments.folder / "ca.pem", as_bytes(root));
  write(arguments.folder / "root.pem", as_bytes(root));
  for (const std::string kind : {"rsa2048", "rsa3072", "p256", "p384", "p521"}) {
    write(arguments.folder / (kind + ".pem"),
          as_bytes(crypto::to_pem(lab.pki().signer(kind).chain)));
  }
  const Secret password(fake::kClientPassword);
  write(arguments.folder / "client.p12",
        test::must(crypto::write_pkcs12(lab.pki().client(), password, "client")));
  write(arguments.folder / "stranger.p12",
        test::must(crypto::write_pkcs12(lab.pki().stranger(), password, "stranger")));
}

int serve(const Arguments& arguments) {
  // Before any thread is started, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  SystemClock clock;
  fake::Lab lab(arguments.marking, [&clock] { return clock.now(); });
  write_certificates(arguments, lab);
  const fake::Server server(lab, arguments.names, arguments.server);
  fake::Json line = {{"url", server.url()}};
  for (const std::string& name : arguments.names) {
    line["personalities"][name] = server.settings(name);
  }
  std::cout << line.dump() << std::endl;
  int received = 0;
  sigwait(&signals, &received);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = read_arguments(std::vector<std::string>(argv + 1, argv + argc));
  if (!arguments) {
    std::cerr << kUsage;
    for (const fake::PersonalityRow& row : fake::personalities()) {
      std::cerr << " " << row.name;
    }
    std::cerr << "\n";
    return 2;
  }
  try {
    return serve(*arguments);
  } catch (const std::exception& failure) {
    std::cerr << "signctl-fake: " << failure.what() << "\n";
    return 1;
  }
}
