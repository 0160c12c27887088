// SPDX-License-Identifier: Apache-2.0
#include "formats/script/findings.hpp"

#include "core/text.hpp"
#include "formats/common/sip_info.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signctl::script {
namespace {

Finding file_finding(std::string id, Severity severity, std::string message, std::string hint) {
  return {std::move(id), severity, "file", std::move(message), Judgement::now, std::move(hint)};
}

void check_block(const Script& script, std::vector<Finding>& findings) {
  const Block& block = *script.block;
  if (!block.irregularity.empty()) {
    findings.push_back(
        file_finding("script-block-form",
                     Severity::error,
                     "the signature block is not as Windows writes it: " + block.irregularity,
                     "keep git and editors from changing line ends (.gitattributes: *.ps1 -text), "
                     "and sign again"));
  }
  if (script.dialect->before.empty()) {
    if (script.bytes_after_block() != 0) {
      findings.push_back(file_finding("script-data-after-signature",
                                      Severity::error,
                                      std::to_string(script.bytes_after_block()) +
                                          " bytes follow the signature block, which ends at line " +
                                          std::to_string(block.last_line),
                                      "somebody added to the script after it was signed"));
    }
    return;
  }
  const auto place = insertion_point(script.text, *script.dialect);
  if (!place || *place != block.begin) {
    findings.push_back(file_finding(
        "script-block-place",
        Severity::error,
        "the signature block does not stand before the last " + std::string(script.dialect->before),
        "somebody moved it, or added to the script; sign it again"));
  }
}

/// What Windows takes such a text for depends on the machine it runs on.
void check_encoding(const Script& script, std::vector<Finding>& findings) {
  const Text& text = script.text;
  if (text.is_ascii() || text.mark_size() != 0) {
    return;
  }
  const std::string hint = "save the script as UTF-8 with a byte order mark before signing";
  if (text.is_guessed()) {
    findings.push_back(file_finding(
        "script-encoding-guessed",
        Severity::warning,
        "the text has no byte order mark and is not UTF-8; it was read as Windows-1252",
        hint));
    return;
  }
  findings.push_back(file_finding(
      "script-without-mark",
      Severity::info,
      "the text is not ASCII and has no byte order mark; it was read as " + describe_encoding(text),
      hint));
}

}  // namespace

std::vector<Finding> container_findings(const Script& script) {
  std::vector<Finding> findings;
  if (script.block) {
    check_block(script, findings);
  }
  check_encoding(script, findings);
  return findings;
}

std::vector<Finding> check_sip(const Dialect& dialect,
                               std::string_view data_type,
                               ByteView data_value) {
  const auto wrong = [&dialect](const std::string& what) {
    return std::vector<Finding>{{"script-data-type",
                                 Severity::error,
                                 "",
                                 "the signed content is for another kind of file than ." +
                                     std::string(dialect.extension) + ": " + what}};
  };
  if (data_type != sip::kSpcSipInfo) {
    return wrong("data of type " + std::string(data_type));
  }
  const auto info = sip::parse_sip_info(data_value);
  if (!info) {
    return wrong(info.error().message);
  }
  if (!std::equal(info->guid.begin(),
                  info->guid.end(),
                  dialect.sip->guid.begin(),
                  dialect.sip->guid.end())) {
    return wrong("SIP GUID " + to_hex(info->guid) + ", not " + to_hex(dialect.sip->guid));
  }
  return {};
}

std::vector<FileFact> facts_of(const Script& script) {
  std::vector<FileFact> facts{{"language", std::string(script.dialect->title)},
                              {"encoding", describe_encoding(script.text)},
                              {"line breaks", script.text.line_breaks()}};
  if (script.block) {
    facts.push_back({"signature block",
                     "lines " + std::to_string(script.block->first_line) + " to " +
                         std::to_string(script.block->last_line)});
  }
  return facts;
}

}  // namespace signctl::script
