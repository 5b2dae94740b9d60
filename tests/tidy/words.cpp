#include <regex>
#include <set>

#include "tests/tidy/rules.hpp"

namespace ordo::tidy {
namespace {

struct Word {
  std::regex pattern;
  std::string why;
};

void search(const File& file, const std::string& text, const Word& word, Findings& findings) {
  const auto end = std::sregex_iterator();
  for (auto it = std::sregex_iterator(text.begin(), text.end(), word.pattern); it != end; ++it) {
    const auto offset = static_cast<std::size_t>(it->position());
    findings.push_back({file.path, line_at(text, offset), "'" + it->str() + "': " + word.why});
  }
}

const std::vector<Word>& core_words() {
  static const std::vector<Word> kWords{
      {std::regex("::now\\s*\\("), "a core is told the time"},
      {std::regex("\\bsleep\\w*"), "a core never waits"},
      {std::regex("\\bj?thread\\b|this_thread"), "a core has one caller at a time"},
      {std::regex("\\bmutex\\b|\\batomic\\b"), "a core has one caller at a time"},
      {std::regex("\\bs?rand\\s*\\(|random_device|random_seed"),
       "a core draws from the seed it is given"},
      {std::regex("\\bthrow\\b"), "a core returns what is expected and checks what is not"},
  };
  return kWords;
}

// The names that a pattern's first group finds in the files below some folders.
std::set<std::string> names_below(const Tree& tree, const std::vector<std::string>& folders,
                                  const std::regex& pattern) {
  std::set<std::string> names;
  for (const File& file : tree.files) {
    if (!starts_with_any(file.path, folders) || !is_source(file.path)) continue;
    const auto end = std::sregex_iterator();
    for (auto it = std::sregex_iterator(file.code.begin(), file.code.end(), pattern); it != end;
         ++it) {
      names.insert((*it)[1].str());
    }
  }
  return names;
}

// What walks a container of this name. `a.name` counts only where no ordered container has the same
// name: the text does not say which of the two it is.
std::regex walk_of(const std::string& name, bool is_ambiguous) {
  const std::string owner = is_ambiguous ? "" : "(\\w+(\\.|->))*";
  const std::string start = is_ambiguous ? "(^|[^\\w.>])" : "\\b";
  return std::regex("for\\s*\\([^;)]*:\\s*" + owner + name + "\\s*\\)|" + start + name +
                    "\\s*\\.\\s*c?begin\\s*\\(");
}

}  // namespace

Findings check_core_words(const Tree& tree) {
  Findings findings;
  for (const File& file : tree.files) {
    if (!is_core(file.path)) continue;
    for (const Word& word : core_words()) search(file, file.code, word, findings);
  }
  return findings;
}

Findings check_core_iteration(const Tree& tree) {
  // A type's closing '>' is followed by the name; its arguments nest, so they are matched loosely.
  static const std::regex kUnordered(
      R"(unordered_(?:map|set|multimap|multiset)\s*<[^;{=()]*>\s*&?\s*(\w+))");
  static const std::regex kOrdered(
      R"((?:std::)(?:vector|map|set|deque|array|span)\s*<[^;{=()]*>\s*&?\s*(\w+))");
  Findings findings;
  for (const std::string folder : {"broker/core/", "worker/core/", "client/core/"}) {
    const auto ordered = names_below(tree, {folder, "schema/", "broker/store/store.hpp"}, kOrdered);
    for (const std::string& name : names_below(tree, {folder}, kUnordered)) {
      const Word walk{walk_of(name, ordered.contains(name)),
                      "walks an unordered container: its order is not the seed's"};
      for (const File& file : tree.files) {
        if (file.path.starts_with(folder) && is_source(file.path)) {
          search(file, file.code, walk, findings);
        }
      }
    }
  }
  return findings;
}

Findings check_leftovers(const Tree& tree) {
  // Written in two parts: this file is searched too.
  static const Word kLater{std::regex("\\b(TO"
                                      "DO|FIX"
                                      "ME|XX"
                                      "X|HA"
                                      "CK)\\b"),
                           "finish it or take it out"};
  static const Word kPlace{std::regex("(^|[\\s\"'=(`])/(home|Users|work|root)/[a-zA-Z]\\w*"),
                           "a path of one machine"};
  Findings findings;
  for (const File& file : tree.files) {
    search(file, file.text, kLater, findings);
    search(file, file.text, kPlace, findings);
  }
  return findings;
}

Findings check_test_sleeps(const Tree& tree) {
  static const Word kSleep{std::regex("sleep_for|sleep_until|\\busleep\\s*\\(|\\bsleep\\s*\\("),
                           "wait for a fact with a deadline (tests/support/wait.hpp)"};
  Findings findings;
  for (const File& file : tree.files) {
    // tests/support holds the one loop that looks again after a pause; handlers of examples pretend
    // to work.
    const bool is_test =
        file.path.starts_with("tests/") && !file.path.starts_with("tests/support/");
    if (is_test && is_source(file.path)) search(file, file.code, kSleep, findings);
  }
  return findings;
}

}  // namespace ordo::tidy
