// SPDX-License-Identifier: Apache-2.0
#include "formats/msix/manifest.hpp"

#include "core/text.hpp"
#include "formats/common/xml.hpp"
#include "formats/msix/parts.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace signctl::msix {
namespace {

/// The schemas changed their namespaces with every version of Windows; the local names stayed.
constexpr std::string_view kPackageRoot = "Package";
constexpr std::string_view kBundleRoot = "Bundle";

Error malformed(const std::string& what) {
  return {ErrorKind::input, "the manifest of the package " + what};
}

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text || text->empty()) {
    return std::nullopt;
  }
  const auto end = text->data() + text->size();
  const auto [stop, code] = std::from_chars(text->data(), end, value);
  return code == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

/// Children of the root's namespace.
std::vector<xml::Element> own_children(const xml::Element& element, std::string_view name) {
  return element.children(element.namespace_uri(), name);
}

std::vector<xml::Element> packages_of(const xml::Element& root) {
  std::vector<xml::Element> found;
  for (const xml::Element& list : own_children(root, "Packages")) {
    for (const xml::Element& one : own_children(list, "Package")) {
      found.push_back(one);
    }
  }
  return found;
}

std::string with_backslashes(std::string name) {
  std::replace(name.begin(), name.end(), '/', '\\');
  return name;
}

}  // namespace

Result<Manifest> read_manifest(ByteView xml_bytes, bool bundle) {
  SIGNCTL_TRY(const xml::Document document,
              xml::Document::parse(xml_bytes),
              std::string(bundle ? kBundleManifest : kAppManifest));
  const xml::Element root = document.root();
  if (root.name() != (bundle ? kBundleRoot : kPackageRoot)) {
    return malformed("has the element " + printable(root.name()));
  }
  const auto identities = own_children(root, "Identity");
  if (identities.size() != 1) {
    return malformed("has " + std::to_string(identities.size()) +
                     " Identity elements; there must be one");
  }
  const xml::Element& identity = identities.front();
  Manifest manifest;
  manifest.name = identity.attribute("Name").value_or("");
  manifest.publisher = identity.attribute("Publisher").value_or("");
  manifest.version = identity.attribute("Version").value_or("");
  manifest.architecture = identity.attribute("ProcessorArchitecture").value_or("");
  if (manifest.name.empty() || manifest.publisher.empty()) {
    return malformed("has an Identity without Name or Publisher");
  }
  if (bundle) {
    for (const xml::Element& one : packages_of(root)) {
      const auto offset = one.attribute("Offset");
      // Without an offset it lies beside a flat bundle, not in it.
      if (offset) {
        manifest.packages.push_back({with_backslashes(one.attribute("FileName").value_or("")),
                                     number(offset),
                                     number(one.attribute("Size"))});
      }
    }
  }
  return manifest;
}

std::vector<Finding> check_bundle(const Package& package, const Manifest& manifest) {
  std::vector<Finding> findings;
  const auto add = [&findings](const std::string& message) {
    findings.push_back({"msix-bundle-manifest", Severity::error, "file", message});
  };
  for (const BundledPackage& one : manifest.packages) {
    const auto& entries = package.archive.entries;
    const auto it = std::find_if(entries.begin(), entries.end(), [&](const zip::Entry& entry) {
      return mapped_name(entry.name) == one.file_name;
    });
    const std::string who = printable(one.file_name);
    if (it == entries.end()) {
      add("the manifest lists " + who + ", which is not in the bundle");
    } else if (it->method != zip::kStored) {
      add(who + " is compressed in the bundle; Windows reads it in place");
    } else if (one.offset != it->data_offset || one.size != it->size) {
      add("the manifest has another offset or size of " + who + " than the archive: it lies at " +
          std::to_string(it->data_offset) + " and has " + std::to_string(it->size) + " bytes");
    }
  }
  return findings;
}

Result<Bytes> move_packages(ByteView xml_bytes, const std::vector<Placed>& places) {
  SIGNCTL_TRY(xml::Document document, xml::Document::parse(xml_bytes), "");
  for (const xml::Element& one : packages_of(document.root())) {
    const std::string name = with_backslashes(one.attribute("FileName").value_or(""));
    const auto it = std::find_if(
        places.begin(), places.end(), [&](const Placed& place) { return place.file_name == name; });
    if (it == places.end() || !one.attribute("Offset")) {
      continue;
    }
    SIGNCTL_CHECK(document.set_attribute(one, "Offset", std::to_string(it->offset)), "");
    SIGNCTL_CHECK(document.set_attribute(one, "Size", std::to_string(it->size)), "");
  }
  return document.serialize();
}

}  // namespace signctl::msix
