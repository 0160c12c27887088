// SPDX-License-Identifier: Apache-2.0
#include "config/node.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"

#include <exception>
#include <istream>
#include <map>
#include <optional>
#include <set>
#include <streambuf>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/node/node.h>  // defines what parser.h declares
#include <yaml-cpp/parser.h>

namespace signctl::config {

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) {
      return &entry.value;
    }
  }
  return nullptr;
}

std::string place(const std::string& file, int line, int column) {
  return (file.empty() ? "config" : printable(file)) + ":" + std::to_string(line) + ":" +
         std::to_string(column) + ": ";
}

Error error_at(const std::string& file,
               const Node& node,
               const std::string& message,
               std::string hint) {
  return {ErrorKind::config, place(file, node.line, node.column) + message, std::move(hint)};
}

namespace {

/// Reads from borrowed memory; std::istringstream would copy.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: only a get area is set, never written.
    setg(begin, begin, begin + text.size());
  }
};

struct Size {
  std::size_t nodes{};
  std::size_t bytes{};
};

Size size_of(const Node& node) {
  Size size{1, node.text.size()};
  for (const Node& item : node.items) {
    const Size inner = size_of(item);
    size.nodes += inner.nodes;
    size.bytes += inner.bytes;
  }
  for (const Entry& entry : node.entries) {
    const Size inner = size_of(entry.value);
    size.nodes += inner.nodes;
    size.bytes += inner.bytes + entry.key.size();
  }
  return size;
}

/// Builds the tree from parser events. After the first error it ignores the rest: the parser has no
/// way to be stopped but an exception, and the input is small.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      fail(mark,
           "something follows the document",
           "keep one document in the file, and check brackets and braces");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    take(make(mark, NodeKind::null), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      fail(mark, "an alias may not stand inside what it refers to");
      return;
    }
    if (!spend(mark, size_of(found->second))) {
      return;
    }
    Node copy = found->second;
    copy.line = mark.line + 1;
    copy.column = mark.column + 1;
    take(std::move(copy), YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = make(mark, NodeKind::scalar);
    if (!known_tag(mark, tag) || !spend(mark, {1, value.size()})) {
      return;
    }
    node.text = value;
    node.quoting = tag == "!" ? Quoting::quoted : Quoting::plain;
    take(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, NodeKind::sequence);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, NodeKind::mapping);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] bool failed() const { return error_.has_value(); }

  Result<Node> finish() && {
    if (error_) {
      return *std::move(error_);
    }
    return std::move(root_);
  }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor{};
    std::optional<Entry> pending;  ///< A key whose value has not come yet.
    std::set<std::string> keys;
  };

  static Node make(const YAML::Mark& mark, NodeKind kind) {
    Node node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  void fail(const YAML::Mark& mark, const std::string& message, std::string hint = {}) {
    if (!error_) {
      error_ = error_at(file_, make(mark, NodeKind::null), message, std::move(hint));
    }
  }

  bool known_tag(const YAML::Mark& mark, const std::string& tag) {
    // "?" and "!" are the non-specific tags of YAML 1.2, 6.9.1: nothing was written.
    if (tag.empty() || tag == "?" || tag == "!") {
      return true;
    }
    fail(mark, "YAML tags are not supported here");
    return false;
  }

  bool spend(const YAML::Mark& mark, Size size) {
    nodes_ += size.nodes;
    bytes_ += size.bytes;
    if (nodes_ > kMaxNodes || bytes_ > kMaxTextBytes) {
      fail(mark, "the document has too many values", "aliases count as often as they are used");
    }
    return !error_;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, NodeKind kind) {
    if (!known_tag(mark, tag) || !spend(mark, {1, 0})) {
      return;
    }
    if (stack_.size() >= kMaxDepth) {
      fail(mark, "the document is nested too deeply");
      return;
    }
    stack_.push_back(Frame{make(mark, kind), anchor, {}, {}});
  }

  void close() {
    if (error_ || stack_.empty()) {
      return;
    }
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    take(std::move(frame.node), frame.anchor);
  }

  void take(Node node, YAML::anchor_t anchor) {
    if (error_) {
      return;
    }
    if (anchor != YAML::NullAnchor) {
      const YAML::Mark mark = mark_of(node);
      if (!spend(mark, size_of(node))) {
        return;
      }
      anchors_[anchor] = node;
    }
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = stack_.back();
    if (top.node.kind == NodeKind::sequence) {
      top.node.items.push_back(std::move(node));
    } else if (top.pending) {
      if (node.kind == NodeKind::null) {  // The parser puts nothing where the next thing begins.
        node.line = top.pending->line;
        node.column = top.pending->column;
      }
      top.pending->value = std::move(node);
      top.node.entries.push_back(*std::exchange(top.pending, std::nullopt));
    } else {
      take_key(top, std::move(node));
    }
  }

  void take_key(Frame& top, Node node) {
    if (node.kind != NodeKind::scalar) {
      fail(mark_of(node), "a key must be text");
      return;
    }
    if (!top.keys.insert(node.text).second) {
      fail(mark_of(node),
           "the key \"" + printable(node.text) + "\" is given twice",
           "the second would silently replace the first; remove one");
      return;
    }
    top.pending = Entry{std::move(node.text), node.line, node.column, {}};
  }

  static YAML::Mark mark_of(const Node& node) {
    YAML::Mark mark;
    mark.line = node.line - 1;
    mark.column = node.column - 1;
    return mark;
  }

  const std::string& file_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  Node root_;
  std::optional<Error> error_;
  std::size_t nodes_{};
  std::size_t bytes_{};
  int documents_{};
};

/// Length of the UTF-8 sequence at `at`, or 0 if there is none (RFC 3629, 4) or the character may
/// not stand in YAML (1.2, 5.1: no C0 controls but tab and line breaks, no DEL).
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(at);
  if (first < 0x80U) {
    const bool control = first < 0x20U && first != '\t' && first != '\n' && first != '\r';
    return control || first == 0x7FU ? 0 : 1;
  }
  std::size_t length = 0;
  unsigned low = 0x80U;
  unsigned high = 0xBFU;
  if (first >= 0xC2U && first <= 0xDFU) {
    length = 2;
  } else if (first >= 0xE0U && first <= 0xEFU) {
    length = 3;
    low = first == 0xE0U ? 0xA0U : low;    // no overlong forms
    high = first == 0xEDU ? 0x9FU : high;  // no surrogates
  } else if (first >= 0xF0U && first <= 0xF4U) {
    length = 4;
    low = first == 0xF0U ? 0x90U : low;
    high = first == 0xF4U ? 0x8FU : high;
  }
  if (length == 0 || byte(at + 1) < low || byte(at + 1) > high) {
    return 0;
  }
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) {
      return 0;
    }
  }
  return length;
}

Result<void> check_characters(std::string_view text, const std::string& file) {
  int line = 1;
  int column = 1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0) {
      return Error{ErrorKind::config,
                   place(file, line, column) + "the file is not plain UTF-8 text",
                   std::string(kSaveAsUtf8)};
    }
    const bool line_break = text[at] == '\n';
    line += line_break ? 1 : 0;
    column = line_break ? 1 : column + 1;
    at += length;
  }
  return ok();
}

/// What the parser says is wrong, up to where it may start to quote the document.
std::string reason(const std::string& parser_message) {
  return parser_message.substr(0, parser_message.find(':'));
}

}  // namespace

Result<Node> read_yaml(std::string_view text, const std::string& file) {
  SIGNCTL_CHECK(check_characters(text, file), "");
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(file);
  // The one door where exceptions of yaml-cpp stop.
  try {
    YAML::Parser parser(stream);
    // yaml-cpp 0.7 reports an empty document at a stray "," for ever, so stop at the second one.
    while (!builder.failed() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& exception) {
    const int line = exception.mark.is_null() ? 1 : exception.mark.line + 1;
    const int column = exception.mark.is_null() ? 1 : exception.mark.column + 1;
    return Error{ErrorKind::config,
                 place(file, line, column) + "this is not YAML: " + reason(exception.msg)};
  } catch (const std::exception&) {
    return Error{ErrorKind::config, place(file, 1, 1) + "this is not YAML"};
  }
  return std::move(builder).finish();
}

}  // namespace signctl::config
