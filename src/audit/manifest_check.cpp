// SPDX-License-Identifier: Apache-2.0
#include "audit/manifest_check.hpp"

#include "core/text.hpp"

namespace signctl::audit {

std::optional<Finding> check_run(const Manifest& manifest) {
  // A shard's share may be empty.
  if (manifest.files.empty() && !manifest.shard && manifest.run.exit_code == 0) {
    return Finding{"manifest-incomplete",
                   Severity::error,
                   "manifest",
                   "it has no file, and so proves nothing",
                   Judgement::now,
                   "sign again, and give the manifest of that run"};
  }
  if (manifest.complete()) {
    return std::nullopt;
  }
  return Finding{"manifest-incomplete",
                 Severity::error,
                 "manifest",
                 manifest.run.ended.empty() ? "the run that wrote it did not come to its end"
                                            : "the run that wrote it ended with exit code " +
                                                  std::to_string(manifest.run.exit_code),
                 Judgement::now,
                 "sign again; a run continues where the last one stopped"};
}

std::optional<Finding> check_file(const FileRecord& file, const std::optional<FileDigests>& now) {
  if (!file.after) {
    return Finding{
        "manifest-incomplete",
        Severity::error,
        "file",
        "the run did not sign it: " +
            (file.why.empty() ? std::string("it did not get that far") : printable(file.why))};
  }
  if (!now) {
    return Finding{"manifest-missing",
                   Severity::error,
                   "file",
                   "it was " + file.state + " in the run and is not there any more"};
  }
  if (*now != *file.after) {
    return Finding{"manifest-changed",
                   Severity::error,
                   "file",
                   "it has been changed since: sha256 " + now->sha256 + " with " +
                       std::to_string(now->size) + " bytes, and not " + file.after->sha256 +
                       " with " + std::to_string(file.after->size)};
  }
  return std::nullopt;
}

Finding added_file() {
  return {"manifest-added",
          Severity::error,
          "file",
          "the manifest does not know it: it was added after signing, or never signed; '!NAME' "
          "behind a "
          "folder's name leaves out what is not released",
          Judgement::now,
          "sign it in the same run, or name the files that are released"};
}

}  // namespace signctl::audit
