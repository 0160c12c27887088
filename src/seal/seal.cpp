// SPDX-License-Identifier: Apache-2.0
#include "seal/seal.hpp"

#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"
#include "core/utf16.hpp"
#include "crypto/look_alikes.hpp"
#include "seal/dependent.hpp"
#include "seal/targets.hpp"
#include "seal/tree.hpp"
#include "seal/values.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace signctl::seal {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestDependent = 16U << 20U;
constexpr std::array<std::string_view, 8> kDetached{".asc",
                                                    ".sig",
                                                    ".gpg",
                                                    ".minisig",
                                                    ".sigstore",
                                                    ".sigstore.json",
                                                    ".cosign.bundle",
                                                    ".signature"};

std::string file_name(const std::string& path) {
  return to_utf8(to_path(path).filename());
}

/// The type by the letters, whatever their encoding.
const Dependent* type_of(const std::string& path, ByteView bytes) {
  const auto ascii = ascii_of_utf16(bytes);
  return find_dependent(file_name(path), ascii ? std::string_view(*ascii) : as_text(bytes));
}

/// A dependent file that was read.
struct Loaded {
  std::string path;
  std::string real;
  const Dependent* type{};
  std::string text;
  std::vector<Slot> slots;
  std::vector<std::string> targets;  ///< Of each slot, the path; empty when it is not there.
};

Result<Loaded> load(const std::string& path, const Options& options) {
  Loaded loaded;
  loaded.path = path;
  loaded.real = real_name(to_path(path));
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kLargestDependent), "");
  loaded.text = as_text(bytes);
  loaded.type = type_of(path, bytes);
  if (loaded.type == nullptr) {
    return Error{ErrorKind::input,
                 printable(path) + " is no file of checksums or update data that is known here",
                 "docs/seal.md lists the types"};
  }
  if (ascii_of_utf16(bytes)) {
    return Error{ErrorKind::input,
                 printable(path) + " is in UTF-16; only UTF-8 and ASCII are brought up to date",
                 "write it as UTF-8 (PowerShell: | Out-File -Encoding utf8), or leave it out: '!" +
                     printable(path) + "'"};
  }
  SIGNCTL_TRY(loaded.slots,
              slots_of(*loaded.type, file_name(path), loaded.text),
              "reading " + printable(path));
  SIGNCTL_TRY(loaded.targets, find_targets(path, loaded.slots, options), "");
  for (std::size_t i = 0; i < loaded.slots.size(); ++i) {
    const std::string& target = loaded.targets[i];
    if (target.empty() && !options.leave_missing) {
      return Error{
          ErrorKind::input,
          printable(path) + " is about \"" + printable(loaded.slots[i].target) +
              "\", which is not there",
          "name its folder with --files DIR, say --allow-missing, or leave the list out: '!" +
              printable(path) + "'"};
    }
    if (!target.empty() && real_name(to_path(target)) == loaded.real) {
      return Error{ErrorKind::input, printable(path) + " holds a checksum of itself"};
    }
  }
  return loaded;
}

/// Positions in an order in which each file comes after those that it is about.
Result<std::vector<std::size_t>> order_of(const std::vector<Loaded>& loaded) {
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    places.emplace(loaded[i].real, i);
  }
  std::vector<std::set<std::size_t>> needs(loaded.size());
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    for (const std::string& target : loaded[i].targets) {
      const auto place = target.empty() ? places.end() : places.find(real_name(to_path(target)));
      if (place != places.end()) {
        needs[i].insert(place->second);
      }
    }
  }
  std::vector<std::size_t> order;
  std::vector<bool> done(loaded.size(), false);
  while (order.size() < loaded.size()) {
    const std::size_t before = order.size();
    for (std::size_t i = 0; i < loaded.size(); ++i) {
      if (!done[i] &&
          std::all_of(needs[i].begin(), needs[i].end(), [&](std::size_t j) { return done[j]; })) {
        done[i] = true;
        order.push_back(i);
      }
    }
    if (order.size() == before) {
      const auto stuck = std::find(done.begin(), done.end(), false) - done.begin();
      return Error{ErrorKind::input,
                   printable(loaded[static_cast<std::size_t>(stuck)].path) +
                       " and another file hold checksums of each other"};
    }
  }
  return order;
}

std::string detached_signature(const std::string& path) {
  std::error_code code;
  for (const std::string_view extension : kDetached) {
    if (fs::exists(to_path(path + std::string(extension)), code)) {
      return path + std::string(extension);
    }
  }
  return {};
}

/// Puts `edits` (slot position, new text) into the text.
std::string edited(const Loaded& loaded, const std::map<std::size_t, std::string>& edits) {
  std::string text;
  std::size_t at = 0;
  for (const auto& [index, value] : edits) {
    const Slot& slot = loaded.slots[index];
    text.append(loaded.text, at, slot.begin - at);
    text += value;
    at = slot.end;
  }
  text.append(loaded.text, at);
  return text;
}

/// The text without any of its values.
std::string beside_values(const Loaded& loaded) {
  std::map<std::size_t, std::string> blanks;
  for (std::size_t i = 0; i < loaded.slots.size(); ++i) {
    blanks[i] = " ";
  }
  return edited(loaded, blanks);
}

/// Reads the new text as if it were an old one: every place must be found again, with what was
/// meant.
Result<void> reread(const Loaded& loaded,
                    const std::string& text,
                    const std::map<std::size_t, std::string>& edits) {
  const Error wrong{ErrorKind::internal,
                    "the new " + printable(loaded.path) + " does not read as it should"};
  SIGNCTL_TRY(
      const auto slots, slots_of(*loaded.type, file_name(loaded.path), text), wrong.message);
  std::size_t at = 0;
  for (std::size_t i = 0; i < loaded.slots.size(); ++i) {
    const auto edit = edits.find(i);
    if (edit != edits.end() && edit->second.empty()) {
      continue;
    }
    const Slot& old = loaded.slots[i];
    if (at == slots.size() || slots[at].target != old.target || slots[at].fact != old.fact ||
        std::string_view(text).substr(slots[at].begin, slots[at].end - slots[at].begin) !=
            (edit == edits.end()
                 ? std::string_view(loaded.text).substr(old.begin, old.end - old.begin)
                 : std::string_view(edit->second))) {
      return wrong;
    }
    ++at;
  }
  return at == slots.size() ? ok() : Result<void>(wrong);
}

void note_foreign(const SealedFile& sealed,
                  const std::string& what,
                  const std::string& advice,
                  Seal& seal) {
  seal.foreign.push_back(printable(sealed.path) + ": " + what + "; " + advice);
}

/// Looks for what speaks against a hash that was told by its length alone: a file that is as it was
/// described, by another hash of that length. Notes when nothing speaks for it either.
Result<void> check_guess(const Loaded& loaded,
                         const std::map<std::size_t, std::string>& edits,
                         const Bodies& bodies,
                         SealedFile& sealed) {
  bool is_open = false;
  for (std::size_t i = 0; i < loaded.slots.size(); ++i) {
    const Slot& slot = loaded.slots[i];
    if (!slot.guessed || loaded.targets[i].empty()) {
      continue;
    }
    if (!edits.contains(i)) {
      return ok();  // One that is right proves it for all of them.
    }
    is_open = is_open || slot.alg == DigestAlg::sha512;
    SIGNCTL_TRY(const auto source, bodies.open(loaded.targets[i]), "");
    SIGNCTL_TRY(const auto others, crypto::look_alikes(*source, digest_size(slot.alg)), "");
    const std::string old = to_lower(loaded.text.substr(slot.begin, slot.end - slot.begin));
    for (const crypto::NamedHash& other : others) {
      if (to_hex(other.value) == old) {
        return malformed("the hash of " + printable(slot.target) + " is " +
                         std::string(other.name) + ", which is not made here");
      }
    }
  }
  if (is_open) {
    sealed.warnings.emplace_back(
        "its hashes are taken for SHA-512; BLAKE2b has as many digits, and neither its name nor a "
        "file that did not change tells which it is");
  }
  return ok();
}

/// What lies beside changed files and describes them as they were has to go.
void note_companions(const Loaded& loaded, const std::set<std::string>& changed, Seal& seal) {
  const std::string_view extension = loaded.type->companion();
  for (std::size_t i = 0; i < loaded.slots.size() && !extension.empty(); ++i) {
    if (changed.contains(loaded.targets[i])) {
      seal.block_maps.push_back(loaded.targets[i] + std::string(extension));
    }
  }
}

/// A list must not go on naming a file that is taken away.
Result<void> check_not_listed(const Seal& seal) {
  for (const std::string& gone : seal.block_maps) {
    for (const SealedFile& file : seal.files) {
      if (std::find(file.targets.begin(), file.targets.end(), gone) != file.targets.end()) {
        return Error{
            ErrorKind::input,
            printable(file.path) + " holds a hash of " + printable(gone) +
                ", which has to go: the file beside it has changed",
            "take it out of that list, or have electron-builder write both anew, then seal"};
      }
    }
  }
  return ok();
}

Result<void> seal_one(const Loaded& loaded, Bodies& bodies, Seal& seal) {
  SealedFile sealed;
  sealed.path = loaded.path;
  sealed.type = loaded.type->name();
  std::map<std::size_t, std::string> edits;
  std::set<std::string> changed;
  for (std::size_t i = 0; i < loaded.slots.size(); ++i) {
    const Slot& slot = loaded.slots[i];
    const std::string_view old =
        std::string_view(loaded.text).substr(slot.begin, slot.end - slot.begin);
    if (loaded.targets[i].empty()) {
      sealed.warnings.push_back(printable(slot.target) + " is not there; its " + slot.label +
                                " stays");
      continue;
    }
    SIGNCTL_TRY(const auto value, right_value(slot, old, loaded.targets[i], bodies), "");
    ++sealed.values;
    sealed.targets.push_back(loaded.targets[i]);
    if (value && *value != old) {
      edits[i] = *value;
      changed.insert(loaded.targets[i]);
      sealed.changes.push_back({slot.target, slot.label, std::string(old), *value});
    }
  }
  SIGNCTL_CHECK(check_guess(loaded, edits, bodies, sealed), "");
  note_companions(loaded, changed, seal);
  // What depends on whether a file has changed since it was described.
  for (std::size_t i = 0; i < loaded.slots.size(); ++i) {
    const Slot& slot = loaded.slots[i];
    if (slot.fact == Fact::block_map && changed.contains(loaded.targets[i])) {
      edits[i] = "";
      sealed.changes.push_back({slot.target, slot.label, "of the file as it was", ""});
    }
    if (slot.fact == Fact::foreign && changed.contains(loaded.targets[i])) {
      note_foreign(sealed,
                   slot.label + " of " + printable(slot.target) + " is over the file as it was",
                   "make it anew with the updater's key",
                   seal);
    } else if (slot.fact == Fact::foreign && !loaded.targets[i].empty()) {
      sealed.warnings.push_back(slot.label + " of " + printable(slot.target) +
                                " was not checked: only the updater's key can");
    }
  }
  sealed.text = edited(loaded, edits);
  sealed.beside_values = beside_values(loaded);
  SIGNCTL_CHECK(reread(loaded, sealed.text, edits), "");
  if (!sealed.changes.empty()) {
    if (loaded.type->is_signed_inside(loaded.text)) {
      note_foreign(sealed,
                   "the signature in it is over the text as it was",
                   "sign it anew after sealing",
                   seal);
    }
    if (const std::string detached = detached_signature(loaded.path); !detached.empty()) {
      note_foreign(sealed,
                   printable(detached) + " signs the file as it was",
                   "sign it anew after sealing",
                   seal);
    }
  }
  bodies.put(loaded.real, sealed.text);
  seal.files.push_back(std::move(sealed));
  return ok();
}

}  // namespace

bool Seal::is_right() const {
  return std::all_of(
      files.begin(), files.end(), [](const SealedFile& file) { return file.changes.empty(); });
}

bool is_dependent(const std::string& path_utf8) {
  const auto source = FileSource::open(path_utf8);
  if (!source || (*source)->size() > kLargestDependent) {
    return false;
  }
  const auto bytes = read_bytes(**source, 0, (*source)->size());
  return bytes && type_of(path_utf8, *bytes) != nullptr;
}

Result<Seal> compute(const std::vector<std::string>& paths_utf8, const Options& options) {
  std::vector<Loaded> loaded;
  Bodies bodies;
  for (const std::string& path : paths_utf8) {
    SIGNCTL_TRY(Loaded one, load(path, options), "");
    for (const Slot& slot : one.slots) {
      if (slot.fact == Fact::digest) {
        bodies.want(slot.alg);
      }
    }
    loaded.push_back(std::move(one));
  }
  SIGNCTL_TRY(const auto order, order_of(loaded), "");
  Seal seal;
  for (const std::size_t i : order) {
    SIGNCTL_CHECK(seal_one(loaded[i], bodies, seal), "sealing " + printable(loaded[i].path));
  }
  if (!seal.foreign.empty() && !options.leave_foreign) {
    return Error{ErrorKind::gate,
                 seal.foreign.front(),
                 "say --stale-signatures to seal all the same, and make it anew afterwards"};
  }
  std::sort(seal.block_maps.begin(), seal.block_maps.end());
  seal.block_maps.erase(std::unique(seal.block_maps.begin(), seal.block_maps.end()),
                        seal.block_maps.end());
  std::erase_if(seal.block_maps, [](const std::string& path) {
    std::error_code code;
    return !fs::exists(to_path(path), code);
  });
  SIGNCTL_CHECK(check_not_listed(seal), "");
  return seal;
}

Result<void> write(const Seal& seal) {
  // All of them are on the disk before the first takes its place: a folder is not left half sealed
  // because the last file is read-only or the disk is full.
  std::vector<AtomicFile> ready;
  for (const SealedFile& file : seal.files) {
    if (file.changes.empty()) {
      continue;
    }
    SIGNCTL_TRY(AtomicFile next,
                AtomicFile::create(file.path, Existing::replace),
                "writing " + printable(file.path));
    SIGNCTL_CHECK(next.write_at(0, as_bytes(file.text)), "writing " + printable(file.path));
    SIGNCTL_CHECK(next.sync(), "writing " + printable(file.path));
    ready.push_back(std::move(next));
  }
  for (AtomicFile& next : ready) {
    SIGNCTL_CHECK(next.commit(), "sealing");
  }
  for (const std::string& path : seal.block_maps) {
    std::error_code code;
    fs::remove(to_path(path), code);
    if (code) {
      return Error{ErrorKind::output,
                   "the stale " + printable(path) + " cannot be removed: " + code.message()};
    }
  }
  return ok();
}

}  // namespace signctl::seal
