// SPDX-License-Identifier: Apache-2.0
#include "cli/failed_start.hpp"

#include "cli/job_summary.hpp"
#include "cli/reports.hpp"
#include "core/log.hpp"

#include <utility>

namespace signctl::cli {

namespace {

engine::RunSummary summary_of(std::size_t planned, Error failure) {
  engine::RunSummary summary;
  summary.planned = planned;
  summary.not_started = planned;
  summary.failure = std::move(failure);
  return summary;
}

/// Each alone: one that cannot be written must not keep the others from telling.
std::vector<Paperwork> each_alone(const Paperwork& papers) {
  const std::string& report = papers.report.file;
  const LedgerPaths& ledger = papers.ledger;
  std::vector<Paperwork> each{{papers.report, {}, {ledger.manifest, ledger.log}},
                              {{}, {ledger.manifest, ""}, {report, ledger.log}},
                              {{}, {"", ledger.log}, {report, ledger.manifest}}};
  for (Paperwork& one : each) {
    one.taken.insert(one.taken.end(), papers.taken.begin(), papers.taken.end());
  }
  return each;
}

Result<void> write_down(const Paperwork& papers,
                        const BatchWords& words,
                        const std::optional<RunPlan>& plan,
                        const engine::RunSummary& summary,
                        Context& context) {
  SIGNCTL_CHECK(check(papers), "");
  audit::Part part;
  if (plan && plan->share) {
    SIGNCTL_TRY(part, part_of(*plan, context), "");
  }
  SIGNCTL_CHECK(write_report(context, papers.report, words, summary, part), "");
  return plan ? Ledger::record_failure(papers.ledger, *plan, *summary.failure, context) : ok();
}

}  // namespace

Result<void> check(const Paperwork& papers) {
  return check_own_files({{"--manifest", OwnKind::manifest, papers.ledger.manifest},
                          {"--audit", OwnKind::log, papers.ledger.log},
                          {"--report", OwnKind::report, papers.report.file}},
                         papers.taken);
}

void write_failed_start(const Paperwork& papers,
                        const BatchWords& words,
                        const std::optional<RunPlan>& plan,
                        const Error& failure,
                        Context& context,
                        std::vector<engine::FileResult> failing) {
  auto summary = summary_of(plan ? plan->tasks.size() : 0, failure);
  summary.failed = failing.size();
  summary.not_started -= failing.size();
  summary.files = std::move(failing);
  write_job_summary(context, words, summary);
  for (const Paperwork& one : each_alone(papers)) {
    auto written = write_down(one, words, plan, summary, context);
    if (!written && written.error().message != failure.message) {
      log_warning("this run is not written down: " + written.error().message);
    }
  }
}

Result<void> write_begun_report(const ReportFlags& report,
                                const BatchWords& words,
                                std::size_t planned,
                                const audit::Part& part,
                                Context& context) {
  const Error running{ErrorKind::interrupted,
                      "the run has begun and has not ended",
                      "if it is over, it was killed; run it again"};
  return write_report(context, report, words, summary_of(planned, running), part);
}

}  // namespace signctl::cli
