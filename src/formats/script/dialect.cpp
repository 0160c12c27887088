// SPDX-License-Identifier: Apache-2.0
#include "formats/script/dialect.hpp"

#include <algorithm>

namespace signctl::script {
namespace {

// {603BCC1F-4B59-4E08-B724-D2C6297EF351}
constexpr Sip kPowerShell{{0x1F,
                           0xCC,
                           0x3B,
                           0x60,
                           0x59,
                           0x4B,
                           0x08,
                           0x4E,
                           0xB7,
                           0x24,
                           0xD2,
                           0xC6,
                           0x29,
                           0x7E,
                           0xF3,
                           0x51},
                          65536};
// {1629F04E-2799-4DB5-8FE5-ACE10F17EBAB}
constexpr Sip kVbScript{{0x4E,
                         0xF0,
                         0x29,
                         0x16,
                         0x99,
                         0x27,
                         0xB5,
                         0x4D,
                         0x8F,
                         0xE5,
                         0xAC,
                         0xE1,
                         0x0F,
                         0x17,
                         0xEB,
                         0xAB},
                        1};
// {06C9E010-38CE-11D4-A2A3-00104BD35090}
constexpr Sip kJScript{{0x10,
                        0xE0,
                        0xC9,
                        0x06,
                        0xCE,
                        0x38,
                        0xD4,
                        0x11,
                        0xA2,
                        0xA3,
                        0x00,
                        0x10,
                        0x4B,
                        0xD3,
                        0x50,
                        0x90},
                       1};
// {1A610570-38CE-11D4-A2A3-00104BD35090}
constexpr Sip kWindowsScript{{0x70,
                              0x05,
                              0x61,
                              0x1A,
                              0xCE,
                              0x38,
                              0xD4,
                              0x11,
                              0xA2,
                              0xA3,
                              0x00,
                              0x10,
                              0x4B,
                              0xD3,
                              0x50,
                              0x90},
                             1};

constexpr Dialect powershell(std::string_view extension, std::string_view title) {
  return {extension,
          title,
          "# ",
          "",
          "# SIG # Begin signature block",
          "# SIG # End signature block",
          "",
          Encoding::utf8,
          true,
          false,
          &kPowerShell};
}

// PowerShell's SIP reads these without a byte order mark in the ANSI code page.
constexpr Dialect powershell_xml(std::string_view extension, std::string_view title) {
  return {extension,
          title,
          "<!-- ",
          " -->",
          "<!-- SIG # Begin signature block -->",
          "<!-- SIG # End signature block -->",
          "",
          Encoding::windows_1252,
          true,
          false,
          &kPowerShell};
}

constexpr std::array<Dialect, 10> kDialects{{
    powershell("ps1", "PowerShell script"),
    powershell("psm1", "PowerShell module"),
    powershell("psd1", "PowerShell data file"),
    powershell_xml("ps1xml", "PowerShell types or formats"),
    powershell_xml("psc1", "PowerShell console file"),
    powershell_xml("cdxml", "PowerShell cmdlet definition"),
    {"mof",
     "managed object format",
     "/* ",
     " */",
     "/* SIG # Begin signature block */",
     "/* SIG # End signature block */",
     "",
     Encoding::utf8,
     true,
     false,
     &kPowerShell},
    {"vbs",
     "VBScript",
     "'' SIG '' ",
     "",
     "'' SIG '' Begin signature block",
     "'' SIG '' End signature block",
     "",
     Encoding::windows_1252,
     false,
     true,
     &kVbScript},
    {"js",
     "JScript",
     "// SIG // ",
     "",
     "// SIG // Begin signature block",
     "// SIG // End signature block",
     "",
     Encoding::windows_1252,
     false,
     true,
     &kJScript},
    {"wsf",
     "Windows Script File",
     "** SIG ** ",
     "",
     "<signature>",
     "</signature>",
     "</job>",
     Encoding::utf8,
     false,
     true,
     &kWindowsScript},
}};

}  // namespace

std::span<const Dialect> dialects() {
  return kDialects;
}

const Dialect* find_dialect(std::string_view extension) {
  const auto* const found =
      std::find_if(kDialects.begin(), kDialects.end(), [extension](const Dialect& dialect) {
        return dialect.extension == extension;
      });
  return found == kDialects.end() ? nullptr : found;
}

bool is_encoded_script(std::string_view extension) {
  return extension == "vbe" || extension == "jse";
}

}  // namespace signctl::script
