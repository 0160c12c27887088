// SPDX-License-Identifier: Apache-2.0
#include "engine/inside.hpp"

#include "core/byte_reader.hpp"
#include "core/text.hpp"
#include "engine/opened_file.hpp"
#include "engine/run.hpp"

#include <signctl/claims.hpp>

#include <algorithm>
#include <utility>

namespace signctl::engine {

namespace {

/// Whether a file goes by the name of a type that can be signed.
bool claims_signature(const std::string& path) {
  const Format* const claimed = claimed_format(path);
  return claimed != nullptr && claimed->capabilities().sign;
}

class Walk {
 public:
  Walk(const InsideLimits& limits, const InsideVisitor& visitor)
      : limits_(limits), visitor_(visitor) {}

  Result<void> run(Signable& file, const std::string& prefix, int depth);

 private:
  Result<void> enter(
      Signable& file, const Member& member, std::size_t index, std::string path, int depth);
  /// Whether there is room for this one as well.
  bool take(const std::string& path, std::uint64_t size);
  void exhaust(const std::string& path, const std::string& what) {
    exhausted_ = true;
    visitor_.problem({path, "members-limit", what + "; nothing behind it was looked at"});
  }

  const InsideLimits& limits_;
  const InsideVisitor& visitor_;
  std::uint64_t bytes_{0};
  std::size_t files_{0};
  bool exhausted_{false};
};

bool Walk::take(const std::string& path, std::uint64_t size) {
  const auto sum = checked_add(bytes_, size);
  if (!sum || *sum > limits_.bytes) {
    exhaust(path,
            "the files inside unpack to more than " + std::to_string(limits_.bytes) + " bytes");
    return false;
  }
  if (++files_ > limits_.files) {
    exhaust(path, "there are more than " + std::to_string(limits_.files) + " files inside");
    return false;
  }
  bytes_ = *sum;
  return true;
}

Result<void> Walk::enter(
    Signable& file, const Member& member, std::size_t index, std::string path, int depth) {
  auto inner = open_inner(file, member, index);
  if (!inner) {
    visitor_.problem({std::move(path), "member-unreadable", inner.error().message});
    return ok();
  }
  if (!inner->doubt.empty()) {
    const Severity severity = claims_signature(path) ? Severity::error : Severity::warning;
    visitor_.problem({std::move(path), "member-unrecognised", std::move(inner->doubt), severity});
    return ok();
  }
  if (!inner->signable) {
    return ok();
  }
  inner->path = std::move(path);
  SIGNCTL_CHECK(visitor_.file(*inner), "");
  return run(*inner->signable, inner->path + "/", depth + 1);
}

Result<void> Walk::run(Signable& file, const std::string& prefix, int depth) {
  const std::string here = prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1);
  const auto members = file.members();
  if (!members) {
    visitor_.problem({here, "member-unreadable", members.error().message});
    return ok();
  }
  if (!members->empty() && depth >= limits_.depth) {
    visitor_.problem({here,
                      "members-limit",
                      "files are packed into each other more than " +
                          std::to_string(limits_.depth) +
                          " deep; what is inside was not looked at"});
    return ok();
  }
  for (std::size_t i = 0; i < members->size() && !exhausted_; ++i) {
    if (stop_requested()) {
      return Error{ErrorKind::interrupted, "interrupted"};
    }
    const Member& member = (*members)[i];
    std::string path = prefix + member.path;
    // One that claims to be empty is unpacked like the others: readers do not ask what it claims.
    if (!take(path, member.size)) {
      continue;
    }
    SIGNCTL_CHECK(enter(file, member, i, std::move(path), depth), "");
  }
  return ok();
}

/// What nobody asks of a file inside; a report for each of ten thousand has to stay small.
void shorten(Report& report) {
  report.hashed_ranges.clear();
  for (SignatureInfo& signature : report.signatures) {
    signature.cms = {};
    signature.certificates.clear();
    signature.signed_attributes.clear();
    signature.unsigned_attributes.clear();
  }
}

Finding finding_of(const InsideProblem& problem) {
  return {problem.id, problem.severity, "file", problem.message};
}

Report unreadable(const InsideProblem& problem, TimePoint now) {
  Report report;
  report.path = problem.path;
  report.judged_at = now;
  report.needs_signature = false;
  report.looked_inside = true;
  report.findings.push_back(finding_of(problem));
  return report;
}

Report report_on(InnerFile& file, const verify::Options& options) {
  auto verified = verify::verify_file(*file.signable, options);
  Report report = verified ? std::move(*verified)
                           : unreadable({file.path, "member-unreadable", verified.error().message},
                                        options.now);
  report.path = file.path;
  report.format = std::string(file.format->name());
  report.size_bytes = file.source->size();
  report.needs_signature = report.needs_signature && must_be_signed(file);
  report.looked_inside = true;
  shorten(report);
  return report;
}

/// What no format recognises is passed over, unless its name or its end says what it is.
Result<std::string> doubt_about(const ByteSource& source, const std::string& path) {
  const Format* claimed = claimed_format(path);
  SIGNCTL_TRY(const bool is_archive, ends_like_archive(source), "");
  if (is_archive && claimed != nullptr) {
    return Error{ErrorKind::input,
                 "it is called ." + extension_of(path) +
                     " and ends like a ZIP archive, but does not begin like one: only some readers "
                     "see what is inside"};
  }
  if (is_archive) {
    return std::string(
        "it ends like a ZIP archive, but does not begin like one; what is inside was "
        "not looked at");
  }
  return claimed == nullptr ? std::string()
                            : "it is called ." + extension_of(path) + ", but is no " +
                                  std::string(claimed->title()) + " that can be recognised";
}

}  // namespace

bool must_be_signed(const InnerFile& file) {
  return file.format->capabilities().sign && file.format->needs_own_signature();
}

Result<InnerFile> open_inner(Signable& container, const Member& member, std::size_t index) {
  InnerFile inner;
  SIGNCTL_TRY(inner.source, container.open_member(index), "");
  if (inner.source->size() == 0) {
    inner.doubt = claims_signature(member.path) ? "it is empty" : "";
    return inner;
  }
  SIGNCTL_TRY(inner.format, find_format(*inner.source, member.path), "");
  if (inner.format == nullptr) {
    SIGNCTL_TRY(inner.doubt, doubt_about(*inner.source, member.path), "");
    return inner;
  }
  inner.extension = extension_of(member.path);
  auto signable = inner.format->open_named(inner.source, inner.extension);
  const bool is_meant = inner.format->is_meant_unnamed(inner.extension);
  if (!signable) {
    return is_meant ? Result<InnerFile>(std::move(signable).error()) : std::move(inner);
  }
  if (!is_meant) {
    const auto signatures = (*signable)->signatures();
    if (signatures && signatures->empty()) {
      return inner;
    }
  }
  inner.signable = std::move(*signable);
  if (member.names) {
    inner.signable->name_members(member.names);
  }
  return inner;
}

Result<void> walk_inside(Signable& file, const InsideLimits& limits, const InsideVisitor& visitor) {
  return Walk(limits, visitor).run(file, "", 0);
}

Result<void> look_inside(Signable& file,
                         const verify::Options& options,
                         const InsideLimits& limits,
                         Report& report) {
  InsideVisitor visitor;
  visitor.file = [&](InnerFile& inner) {
    report.members.push_back(report_on(inner, options));
    return ok();
  };
  visitor.problem = [&](const InsideProblem& problem) {
    if (problem.path.empty()) {
      report.findings.push_back(finding_of(problem));
    } else if (problem.severity == Severity::warning) {
      // No file of a known type: of those inside, only objections are passed on.
      report.findings.push_back({problem.id, problem.severity, problem.path, problem.message});
    } else {
      report.members.push_back(unreadable(problem, options.now));
    }
  };
  SIGNCTL_CHECK(walk_inside(file, limits, visitor), "looking inside");
  report.looked_inside = true;
  return ok();
}

Result<UnsignedInside> find_unsigned_inside(const std::string& path_utf8) {
  SIGNCTL_TRY(const OpenedFile opened, open_file(path_utf8), "");
  UnsignedInside found;
  InsideVisitor visitor;
  visitor.file = [&](InnerFile& inner) -> Result<void> {
    const auto signatures = inner.signable->signatures();
    if (!signatures) {
      found.problems.push_back({inner.path, "member-unreadable", signatures.error().message});
    } else if (signatures->empty() && must_be_signed(inner)) {
      found.unsigned_paths.push_back(inner.path);
    }
    return ok();
  };
  visitor.problem = [&](InsideProblem problem) { found.problems.push_back(std::move(problem)); };
  SIGNCTL_CHECK(walk_inside(*opened.signable, {}, visitor), "looking inside " + path_utf8);
  return found;
}

}  // namespace signctl::engine
