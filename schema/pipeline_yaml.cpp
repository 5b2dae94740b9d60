#include "schema/pipeline_yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <array>
#include <sstream>

#include "schema/limits.hpp"
#include "schema/text.hpp"

namespace ordo::pipeline {
namespace {

/// The deepest legal file nests four: file, steps, step, retry. More room keeps the messages about
/// shape.
constexpr std::size_t kDepth = 8;
/// 256 steps with every key and 1,024 edges stay below; a file at its size limit could hold ten
/// times as many.
constexpr std::size_t kNodes = 32u << 10;
/// A scalar is shown up to this many bytes.
constexpr std::size_t kShownBytes = 40;
/// So is a complaint of the parser.
constexpr std::size_t kComplaintBytes = 200;

Place place_of(const YAML::Mark& mark) {
  return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

/// Builds the tree from the parser's events; after the first refusal it only listens.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(Problems& problems) : problems_(problems) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(Node::Kind::kNull, mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases are not allowed", "write the value out where it is needed");
  }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(mark, "anchor `&" + clean_text(name, kShownBytes) + "` is not allowed",
           "write the value out where it is needed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    if (!is_plain_tag(mark, tag)) return;
    // The file is text, but an escape such as "\u0000" can write what is none.
    if (!is_text(value)) {
      return refuse(mark, "an escape in this value writes a character that text cannot hold",
                    "remove the escape");
    }
    if (Node* node = add(Node::Kind::kScalar, mark)) node->text = value;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kList, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark, tag);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] bool is_refused() const { return is_refused_; }
  Node& root() { return root_; }

 private:
  void refuse(const YAML::Mark& mark, std::string what, std::string instead) {
    if (!is_refused_) problems_.add(place_of(mark), std::move(what), std::move(instead));
    is_refused_ = true;
  }

  /// "?" is what plain values have, "!" what quoted ones have; anything else was written by hand.
  bool is_plain_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return true;
    refuse(mark, "tag `" + clean_text(tag, kShownBytes) + "` is not allowed",
           "remove it: every key knows its type");
    return false;
  }

  Node* add(Node::Kind kind, const YAML::Mark& mark) {
    if (is_refused_) return nullptr;
    if (++nodes_ > kNodes) {
      refuse(mark, "the file has more than " + std::to_string(kNodes) + " values", "split it");
      return nullptr;
    }
    Node* node = &root_;
    if (!path_.empty()) {
      Node& parent = *path_.back();
      const bool is_key = parent.is_map() && parent.children.size() % 2 == 0;
      if (is_key && kind != Node::Kind::kScalar) {
        refuse(mark, "a key has to be a word", "write `key: value`");
        return nullptr;
      }
      // Children of open nodes never grow while a grandchild is open, so the pointers in path_ stay
      // good.
      node = &parent.children.emplace_back();
    }
    node->kind = kind;
    // A value that is not there has no place of its own: its key's is where a person looks.
    const bool is_missing = kind == Node::Kind::kNull && path_.size() > 0 && path_.back()->is_map();
    const auto& siblings = path_.empty() ? root_.children : path_.back()->children;
    node->at = is_missing ? siblings[siblings.size() - 2].at : place_of(mark);
    node->offset = mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
    return node;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    if (!is_plain_tag(mark, tag)) return;
    if (path_.size() >= kDepth) {
      refuse(mark, "lists and maps nest deeper than " + std::to_string(kDepth),
             "a pipeline needs no more than four");
      return;
    }
    if (Node* node = add(kind, mark)) path_.push_back(node);
  }
  void close() {
    if (!is_refused_ && !path_.empty()) path_.pop_back();
  }

  Problems& problems_;
  Node root_;
  std::vector<Node*> path_;
  std::size_t nodes_ = 0;
  bool is_refused_ = false;
};

/// Line and column of a byte.
Place place_at(std::string_view text, std::size_t offset) {
  Place at{1, 1};
  for (const char c : text.substr(0, offset)) {
    at.column = c == '\n' ? 1 : at.column + 1;
    at.line += c == '\n' ? 1 : 0;
  }
  return at;
}

/// The first tab before the first word of a line; npos where there is none.
std::size_t find_indenting_tab(std::string_view text) {
  bool is_indentation = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\t' && is_indentation) return i;
    is_indentation = text[i] == '\n' || (is_indentation && text[i] == ' ');
  }
  return std::string_view::npos;
}

/// Size and characters, before a parser sees the text.
bool is_readable(std::string_view text, Problems& problems) {
  if (text.size() > limits::kPipelineBytes) {
    problems.add({}, "the file has " + std::to_string(text.size()) + " bytes",
                 "a pipeline has at most " + std::to_string(limits::kPipelineBytes));
    return false;
  }
  if (const std::size_t good = text_prefix(text); good != text.size()) {
    problems.add(place_at(text, good), "the file holds a byte that is not UTF-8 text",
                 "save it as UTF-8");
    return false;
  }
  return true;
}

/// What to do about the parser's complaint.
struct Advice {
  std::string_view complaint;  ///< a part of its message
  std::string_view instead;
};
constexpr std::array kAdvice{
    Advice{"flow", "close each `{` with `}` and each `[` with `]`"},
    Advice{"anchor", "aliases are not allowed: write the value out where it is needed"},
    Advice{"end of map", "check the indentation, and that each `:` is followed by a blank"},
    Advice{"illegal map value", "put text that holds `: ` in quotes, and check the indentation"},
};

void add_parser_problem(std::string_view text, const YAML::Exception& error, Problems& problems) {
  // Tabs are the parser's most frequent stumbling block, and it never names them.
  const std::size_t tab = find_indenting_tab(text);
  const Place at = place_of(error.mark);
  if (tab != std::string_view::npos && place_at(text, tab).line <= at.line) {
    return problems.add(place_at(text, tab), "a tab indents this line", "indent with blanks");
  }
  const auto fits = [&](const Advice& advice) {
    return error.msg.find(advice.complaint) != std::string::npos;
  };
  const auto found = std::find_if(kAdvice.begin(), kAdvice.end(), fits);
  // The parser may quote half a character of what it stumbled over.
  problems.add(at, "this is not YAML: " + clean_text(error.msg, kComplaintBytes),
               found != kAdvice.end()
                   ? std::string(found->instead)
                   : "check indentation, brackets and quotes here and one line above");
}

}  // namespace

std::optional<Node> read_yaml(std::string_view text, Problems& problems) {
  if (!is_readable(text, problems)) return std::nullopt;
  std::istringstream stream{std::string(text)};
  Builder builder(problems);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      problems.add({}, "the file is empty", "start with `pipeline: NAME`");
      return std::nullopt;
    }
    if (builder.is_refused()) return std::nullopt;
    Problems ignored;
    Builder second(ignored);
    if (parser.HandleNextDocument(second)) {
      problems.add(second.root().at, "the file holds a second document",
                   "write each pipeline into a file of its own");
      return std::nullopt;
    }
  } catch (const YAML::Exception& error) {
    add_parser_problem(text, error, problems);
    return std::nullopt;
  } catch (const std::exception& error) {
    problems.add({}, "this is not YAML: " + clean_text(error.what(), kComplaintBytes), "");
    return std::nullopt;
  }
  return std::move(builder.root());
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kList: return "a list";
    case Node::Kind::kMap: return "a map";
    case Node::Kind::kScalar: break;
  }
  const bool is_long = node.text.size() > kShownBytes;
  return "`" + clean_text(node.text, kShownBytes) + (is_long ? "…`" : "`");
}

}  // namespace ordo::pipeline
