// SPDX-License-Identifier: Apache-2.0
#include "engine/journal.hpp"

#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace signctl::engine {

namespace {

constexpr std::string_view kHeader = "signctl-journal 1";
constexpr std::size_t kSumDigits = 16;
constexpr std::size_t kChainIdDigits = 16;
constexpr std::size_t kLargest = std::size_t{1} << 30U;
/// Octets that stand for keys, and behind them those that stand for processes.
constexpr std::uint64_t kLockRange = std::uint64_t{1} << 40U;
constexpr std::uint64_t kPresenceRange = std::uint64_t{1} << 32U;

std::string sum_of(std::string_view text) {
  return to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text))).substr(0, kSumDigits);
}

/// Blank-separated words.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// The octet that stands for a key. Two keys may share one: then they wait for each other, no more.
std::uint64_t lock_place(const SignatureKey& key) {
  const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes(key.text()));
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < sizeof place; ++i) {
    place = place << 8U | digest[i];
  }
  return place % kLockRange;
}

/// For the file in a folder that is not there yet: opening the file tells what else is wrong.
void make_folder_of(const std::string& path_utf8) {
  const auto folder = to_path(path_utf8).parent_path();
  std::error_code ignored;
  if (!folder.empty()) {
    std::filesystem::create_directories(folder, ignored);
  }
}

/// Opens the file and locks an octet of our own, so that nobody takes the file away while we use
/// it.
Result<AppendFile> open_present(const std::string& path_utf8) {
  while (true) {
    SIGNCTL_TRY(AppendFile file, AppendFile::open(path_utf8), "");
    std::uint64_t place = 0;
    for (const std::uint8_t octet : crypto::random_bytes(4)) {
      place = place << 8U | octet;
    }
    if (file.try_lock(kLockRange + place, 1) && !file.is_replaced()) {
      return file;
    }
  }
}

/// What is behind the beginnings that a crash left of a first line: a piece of it, or the zeros of
/// a block that was never written.
std::string_view behind_torn_start(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const bool torn = line.size() < kHeader.size() && kHeader.starts_with(line);
    if (!torn && line.find_first_not_of('\0') != std::string_view::npos) {
      break;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return text;
}

/// A line as it stands in the file.
std::string line_of(const std::string& words) {
  const std::string text = words + " ";
  return text + sum_of(text) + "\n";
}

std::string chain_line(const std::string& id, const std::vector<Bytes>& chain) {
  std::string words = "chain " + id;
  for (const Bytes& certificate : chain) {
    words += " " + to_base64(certificate);
  }
  return line_of(words);
}

std::string pending_line(const std::string& key, const std::string& operation) {
  return line_of("pending " + key + " " + to_base64(as_bytes(operation)));
}

std::string key_from(std::string_view identity, std::string_view alg, std::string_view digest) {
  return std::string(identity) + " " + std::string(alg) + " " + std::string(digest);
}

}  // namespace

bool Journal::is_operation(std::string_view text) {
  constexpr std::size_t kLongest = 256;
  constexpr std::string_view kInNames =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return text.size() <= kLongest && text.find_first_not_of(kInNames) == std::string_view::npos &&
         text.find_first_not_of('.') != std::string_view::npos;
}

std::string SignatureKey::text() const {
  return key_from(identity, digest_name(alg), to_hex(digest));
}

Journal::Journal(std::string path, std::optional<AppendFile> file)
    : path_(std::move(path)), file_(std::move(file)) {}

Result<Journal> Journal::open(const std::string& path_utf8) {
  make_folder_of(path_utf8);
  SIGNCTL_TRY(AppendFile file, open_present(path_utf8), "opening the journal");
  Journal journal(path_utf8, std::move(file));
  SIGNCTL_CHECK(journal.start_over(), "reading the journal " + path_utf8);
  return journal;
}

Result<std::optional<Journal>> Journal::look(const std::string& path_utf8) {
  std::error_code ignored;
  if (!std::filesystem::exists(to_path(path_utf8), ignored)) {
    return std::optional<Journal>{};
  }
  SIGNCTL_TRY(const Bytes bytes, read_file(path_utf8, kLargest), "reading the journal");
  if (behind_torn_start(as_text(bytes)).empty()) {
    // Of a run that was killed before its first word.
    return std::optional<Journal>{};
  }
  Journal journal(path_utf8, std::nullopt);
  SIGNCTL_CHECK(journal.read_all(bytes), "reading the journal " + path_utf8);
  return std::optional(std::move(journal));
}

Result<void> Journal::start_over() {
  read_to_ = 0;
  chains_.clear();
  pending_.clear();
  made_.clear();
  done_.clear();
  signatures_.clear();
  if (file_->size() == 0) {
    return write(line_of(std::string(kHeader)));
  }
  SIGNCTL_TRY(const Bytes bytes, file_->read_from(0), "");
  if (behind_torn_start(as_text(bytes)).empty()) {
    return write(line_of(std::string(kHeader)));
  }
  return read_all(bytes);
}

Result<void> Journal::read_all(ByteView bytes) {
  if (!behind_torn_start(as_text(bytes)).starts_with(kHeader)) {
    return Error{ErrorKind::input,
                 printable(path_) + " is not a journal of signctl",
                 "name another file as journal"};
  }
  read_lines(as_text(bytes));
  return ok();
}

Result<void> Journal::read_on() {
  SIGNCTL_TRY(const Bytes bytes, file_->read_from(read_to_), "");
  read_lines(as_text(bytes));
  return ok();
}

void Journal::read_lines(std::string_view text) {
  while (true) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      return;
    }
    read_line(text.substr(0, end));
    text.remove_prefix(end + 1);
    read_to_ += end + 1;
  }
}

void Journal::read_line(std::string_view line) {
  if (line.size() <= kSumDigits ||
      sum_of(line.substr(0, line.size() - kSumDigits)) != line.substr(line.size() - kSumDigits)) {
    return;
  }
  const auto words = words_of(line.substr(0, line.size() - kSumDigits - 1));
  if (words.front() == "chain" && words.size() > 2) {
    std::vector<Bytes> chain;
    for (std::size_t i = 2; i < words.size(); ++i) {
      chain.push_back(from_base64(words[i]).value_or(Bytes{}));
    }
    chains_.emplace(words[1], std::move(chain));
  } else if (words.front() == "pending" && words.size() == 5) {
    const Bytes operation = from_base64(words[4]).value_or(Bytes{});
    pending_.insert_or_assign(key_from(words[1], words[2], words[3]), as_text(operation));
  } else if (words.front() == "made" && words.size() == 6) {
    Entry entry{from_base64(words[5]).value_or(Bytes{}), std::string(words[4])};
    std::string key = key_from(words[1], words[2], words[3]);
    signatures_.insert_or_assign(crypto::hash(DigestAlg::sha256, entry.signature), key);
    made_.insert_or_assign(std::move(key), std::move(entry));
  } else if (words.front() == "done" && words.size() == 4) {
    done_.insert(key_from(words[1], words[2], words[3]));
  }
}

std::optional<SignedDigest> Journal::find(const SignatureKey& key) const {
  const auto entry = made_.find(key.text());
  if (entry == made_.end()) {
    return std::nullopt;
  }
  const auto chain = chains_.find(entry->second.chain);
  if (chain == chains_.end()) {
    return std::nullopt;
  }
  return SignedDigest{entry->second.signature, chain->second};
}

std::string Journal::pending(const SignatureKey& key) const {
  const auto found = pending_.find(key.text());
  return found == pending_.end() || made_.contains(found->first) ? "" : found->second;
}

bool Journal::is_owed(const std::string& key) const {
  if (made_.contains(key)) {
    return !done_.contains(key);
  }
  const auto accepted = pending_.find(key);
  return accepted != pending_.end() && is_operation(accepted->second);
}

std::vector<std::string> Journal::owed_to(DigestAlg alg, ByteView digest) const {
  const std::string end = key_from("", digest_name(alg), to_hex(digest));
  std::set<std::string> identities;
  const auto collect = [&](const auto& entries) {
    for (const auto& [key, value] : entries) {
      if (key.ends_with(end) && is_owed(key)) {
        identities.insert(key.substr(0, key.size() - end.size()));
      }
    }
  };
  collect(pending_);
  collect(made_);
  return {identities.begin(), identities.end()};
}

bool Journal::owes() const {
  const auto owed = [this](const auto& entry) { return is_owed(entry.first); };
  return std::any_of(pending_.begin(), pending_.end(), owed) ||
         std::any_of(made_.begin(), made_.end(), owed);
}

std::vector<Bytes> Journal::leaves() const {
  std::vector<Bytes> leaves;
  for (const auto& [id, chain] : chains_) {
    leaves.push_back(chain.front());
  }
  return leaves;
}

bool Journal::knows_signature(ByteView signature) const {
  return signatures_.contains(crypto::hash(DigestAlg::sha256, signature));
}

std::string Journal::identity_of(ByteView signature) const {
  const auto key = signatures_.find(crypto::hash(DigestAlg::sha256, signature));
  return key == signatures_.end() ? "" : key->second.substr(0, key->second.find(' '));
}

Result<void> Journal::write(const std::string& line) {
  // What a killed process left of its last line ends here.
  const bool torn = read_to_ != file_->size();
  return file_->append(as_bytes((torn ? "\n" : "") + line));
}

Result<std::string> Journal::write_chain(const std::vector<Bytes>& chain) {
  const std::string id = to_hex(crypto::hash(DigestAlg::sha256, as_bytes(chain_line({}, chain))))
                             .substr(0, kChainIdDigits);
  if (!chains_.contains(id)) {
    SIGNCTL_CHECK(write(chain_line(id, chain)), "writing the journal");
  }
  return id;
}

Result<void> Journal::add_pending(const SignatureKey& key,
                                  const std::vector<Bytes>& chain,
                                  const std::string& operation) {
  if (!chain.empty()) {
    SIGNCTL_CHECK(write_chain(chain), "");
  }
  SIGNCTL_CHECK(write(pending_line(key.text(), operation)), "writing the journal");
  return read_on();
}

Result<void> Journal::add_made(const SignatureKey& key, const SignedDigest& made) {
  SIGNCTL_TRY(const std::string id, write_chain(made.chain), "");
  SIGNCTL_CHECK(write(line_of("made " + key.text() + " " + id + " " + to_base64(made.signature))),
                "writing the journal");
  return read_on();
}

Result<void> Journal::sync() const {
  return file_->sync();
}

Result<void> Journal::write_done(const std::string& key) {
  if (!file_ || !made_.contains(key) || done_.contains(key)) {
    return ok();
  }
  SIGNCTL_CHECK(write(line_of("done " + key)), "writing the journal");
  return read_on();
}

Result<void> Journal::add_done(const SignatureKey& key) {
  return write_done(key.text());
}

Result<void> Journal::add_done(ByteView signature) {
  const auto key = signatures_.find(crypto::hash(DigestAlg::sha256, signature));
  return key == signatures_.end() ? ok() : write_done(key->second);
}

Result<bool> Journal::try_lock(const SignatureKey& key) {
  const std::uint64_t place = lock_place(key);
  if (!file_->try_lock(place, 1)) {
    return false;
  }
  SIGNCTL_CHECK(read_on(), "reading the journal");
  return true;
}

void Journal::unlock(const SignatureKey& key) {
  file_->unlock(lock_place(key), 1);
}

void Journal::remove_if_complete() {
  if (!file_->try_lock(0, kLockRange + kPresenceRange)) {
    return;
  }
  const bool current = read_on().has_value();
  const bool complete = std::all_of(
      made_.begin(), made_.end(), [&](const auto& entry) { return done_.contains(entry.first); });
  if (!current || !complete) {
    return;
  }
  // An operation that was accepted is paid for, and waits for whoever asked for it.
  std::string left;
  for (const auto& [key, operation] : pending_) {
    left += !made_.contains(key) && is_owed(key) ? pending_line(key, operation) : "";
  }
  if (left.empty()) {
    std::error_code ignored;
    std::filesystem::remove(to_path(path_), ignored);
  } else {
    std::string text = line_of(std::string(kHeader));
    for (const auto& [id, chain] : chains_) {
      text += chain_line(id, chain);
    }
    text += left;
    static_cast<void>(write_file(path_, as_bytes(text), Existing::replace, FileAccess::owner_only));
  }
  // The lock ends with the object: no process may come to hold a file without a name before.
}

}  // namespace signctl::engine
