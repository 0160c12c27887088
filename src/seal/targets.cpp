// SPDX-License-Identifier: Apache-2.0
#include "seal/targets.hpp"

#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"
#include "seal/tree.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

namespace signctl::seal {

namespace {

namespace fs = std::filesystem;

bool leads_out(const fs::path& path) {
  return path.is_absolute() || path.has_root_name() ||
         std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".."; });
}

bool is_inside(const std::string& real_path, const fs::path& real_folder) {
  const fs::path relative = to_path(real_path).lexically_relative(real_folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// Files of a folder whose names are `name` once their blanks are dashes; none when it cannot be
/// listed.
std::vector<fs::path> dashed_in(const fs::path& folder, const std::string& name) {
  std::vector<fs::path> found;
  std::error_code code;
  fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, code);
  while (!code && entry != fs::directory_iterator()) {
    std::string dashed = to_utf8(entry->path().filename());
    std::replace(dashed.begin(), dashed.end(), ' ', '-');
    if (dashed == name) {
      found.push_back(folder / entry->path().filename());
    }
    entry.increment(code);
  }
  return found;
}

class Search {
 public:
  Search(const std::string& dependent_path, const std::vector<Slot>& slots, const Options& options)
      : dependent_(printable(dependent_path)), folders_{to_path(dependent_path).parent_path()} {
    for (const std::string& folder : options.folders) {
      folders_.push_back(to_path(folder));
    }
    for (const fs::path& folder : folders_) {
      real_folders_.push_back(to_path(real_name(folder.empty() ? fs::path(".") : folder)));
    }
    for (const Slot& slot : slots) {
      if (slot.address.find('/') != std::string::npos) {
        addresses_[slot.target].insert(slot.address);
      }
    }
  }

  Result<std::string> find(const Slot& slot) const;

 private:
  [[nodiscard]] std::vector<std::string> telling_paths(const Slot& slot) const;
  Result<std::string> look_for(const std::string& relative) const;
  Result<std::string> look_for_dashed(const std::string& name) const;
  Result<void> accept(const fs::path& candidate,
                      const std::string& named,
                      std::string& found) const;
  Error cannot_tell(const Slot& slot) const;

  std::string dependent_;
  std::vector<fs::path> folders_;
  std::vector<fs::path> real_folders_;
  std::map<std::string, std::set<std::string>> addresses_;  ///< By the name that they end in.
};

/// Ends of the URL's path, longest first, that no other URL with this name has.
std::vector<std::string> Search::telling_paths(const Slot& slot) const {
  const std::vector<std::string> parts = path_in_url(slot.address);
  std::vector<std::vector<std::string>> others;
  if (const auto same = addresses_.find(slot.target); same != addresses_.end()) {
    for (const std::string& address : same->second) {
      if (address != slot.address) {
        others.push_back(path_in_url(address));
      }
    }
  }
  std::vector<std::string> paths;
  for (std::size_t count = parts.size(); count > 1; --count) {
    const auto ends_alike = [&](const std::vector<std::string>& other) {
      return other.size() >= count && std::equal(parts.end() - static_cast<std::ptrdiff_t>(count),
                                                 parts.end(),
                                                 other.end() - static_cast<std::ptrdiff_t>(count));
    };
    if (std::any_of(others.begin(), others.end(), ends_alike)) {
      break;
    }
    std::string path;
    for (std::size_t i = parts.size() - count; i < parts.size(); ++i) {
      path += (path.empty() ? "" : "/") + parts[i];
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

/// Takes `candidate` as what is found, if it is there.
Result<void> Search::accept(const fs::path& candidate,
                            const std::string& named,
                            std::string& found) const {
  std::error_code code;
  if (!fs::is_regular_file(candidate, code)) {
    return ok();
  }
  const std::string path = to_utf8(candidate.lexically_normal());
  const std::string real = real_name(candidate);
  if (!found.empty() && real_name(to_path(found)) != real) {
    return Error{ErrorKind::input,
                 dependent_ + " names \"" + printable(named) + "\", and there are " +
                     printable(found) + " and " + printable(path),
                 "name one folder with --files"};
  }
  if (std::none_of(real_folders_.begin(), real_folders_.end(), [&](const fs::path& folder) {
        return is_inside(real, folder);
      })) {
    return Error{ErrorKind::input,
                 dependent_ + " names \"" + printable(named) + "\", a link to " + printable(real) +
                     ", which is outside its folder",
                 "name the folder of that file with --files if it is meant"};
  }
  found = path;
  return ok();
}

Result<std::string> Search::look_for(const std::string& relative) const {
  const fs::path path = to_path(relative);
  if (relative.empty() || relative.find('\0') != std::string::npos || leads_out(path)) {
    return Error{
        ErrorKind::input,
        dependent_ + " names \"" + printable(relative) + "\", which leads out of its folder"};
  }
  std::string found;
  for (const fs::path& folder : folders_) {
    SIGNCTL_CHECK(accept(folder / path, relative, found), "");
  }
  return found;
}

/// GitHub takes no blanks in the names of assets: "App Setup.exe" is published as "App-Setup.exe".
Result<std::string> Search::look_for_dashed(const std::string& name) const {
  std::vector<fs::path> candidates;
  for (const fs::path& folder : folders_) {
    const auto more = dashed_in(folder, name);
    candidates.insert(candidates.end(), more.begin(), more.end());
  }
  std::string found;
  for (const fs::path& candidate : candidates) {
    SIGNCTL_CHECK(accept(candidate, name, found), "");
  }
  return found;
}

Error Search::cannot_tell(const Slot& slot) const {
  const std::set<std::string>& addresses = addresses_.at(slot.target);
  return {ErrorKind::input,
          dependent_ + " names \"" + printable(slot.target) + "\" at " + printable(slot.address) +
              " and at " +
              printable(*addresses.begin() == slot.address ? *std::next(addresses.begin())
                                                           : *addresses.begin()) +
              ", and nothing tells which of them is the file here",
          "put it below folders that are named as in its URL, as in 1.2/" + printable(slot.target)};
}

Result<std::string> Search::find(const Slot& slot) const {
  const auto same = addresses_.find(slot.target);
  const bool is_shared = same != addresses_.end() && same->second.size() > 1;
  SIGNCTL_TRY(const auto plain, look_for(slot.target), "");
  if (!plain.empty() && !is_shared) {
    return plain;
  }
  for (const std::string& path : telling_paths(slot)) {
    SIGNCTL_TRY(auto found, look_for(path), "");
    if (!found.empty()) {
      return found;
    }
  }
  if (!plain.empty()) {
    return cannot_tell(slot);
  }
  return slot.dashed && !is_shared ? look_for_dashed(slot.target) : std::string{};
}

}  // namespace

Result<std::vector<std::string>> find_targets(const std::string& dependent_path,
                                              const std::vector<Slot>& slots,
                                              const Options& options) {
  const Search search(dependent_path, slots, options);
  std::vector<std::string> targets;
  for (const Slot& slot : slots) {
    SIGNCTL_TRY(auto target, search.find(slot), "");
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace signctl::seal
