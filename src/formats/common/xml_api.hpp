// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/xmlsave.h>

namespace signctl::xml {

/// The functions of libxml2 that are used, however they come into the process.
struct XmlApi {
  decltype(&::xmlReadMemory) read_memory{};
  decltype(&::xmlGetLastError) last_error{};
  decltype(&::xmlResetLastError) reset_last_error{};
  decltype(&::xmlFreeDoc) free_doc{};
  decltype(&::xmlDocGetRootElement) root_element{};
  decltype(&::xmlC14NExecute) c14n_execute{};
  decltype(&::xmlOutputBufferCreateBuffer) output_buffer_create{};
  decltype(&::xmlOutputBufferClose) output_buffer_close{};
  decltype(&::xmlBufferCreate) buffer_create{};
  decltype(&::xmlBufferContent) buffer_content{};
  decltype(&::xmlBufferLength) buffer_length{};
  decltype(&::xmlBufferFree) buffer_free{};
  decltype(&::xmlSaveToBuffer) save_to_buffer{};
  decltype(&::xmlSaveDoc) save_doc{};
  decltype(&::xmlSaveClose) save_close{};
  decltype(&::xmlUnlinkNode) unlink_node{};
  decltype(&::xmlFreeNode) free_node{};
  decltype(&::xmlNewDocNode) new_doc_node{};
  decltype(&::xmlNewNs) new_ns{};
  decltype(&::xmlSetNs) set_ns{};
  decltype(&::xmlAddChild) add_child{};
  decltype(&::xmlSetProp) set_prop{};
  decltype(&::xmlNodeAddContent) add_content{};
};

/// The library, loaded at the first call: it brings ICU along, which takes longer to relocate than
/// a small file to sign. Thread-safe.
///
/// @errors `unsupported` when it cannot be loaded.
Result<const XmlApi*> xml_api();

}  // namespace signctl::xml
